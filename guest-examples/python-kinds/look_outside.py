"""The world `example:kinds/outside` in Python: asks the host for files, time and the rest."""

import os
import secrets
import time
from pathlib import Path

import wit_world
from componentize_py_types import Err


class WitWorld(wit_world.WitWorld):
    def list_folder(self, path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))
        except OSError as error:
            raise Err(str(error)) from None

    def read_file(self, path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Err(str(error)) from None

    def variable(self, name: str) -> str | None:
        return os.environ.get(name)

    def now(self) -> int:
        return time.time_ns()

    def random(self) -> int:
        return secrets.randbits(32)

    def say(self, line: str) -> None:
        print(line, flush=True)
