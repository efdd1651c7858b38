"""The world `example:kinds/outside` in Python: asks the host for files, time and the rest."""

import os
import secrets
import time
from pathlib import Path
from typing import TextIO

import wit_world
from componentize_py_types import Err


kept: tuple[str, TextIO] | None = None


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

    def leave(self, text: str, folder: str) -> None:
        global kept
        os.environ["LEFT"] = text
        print(text, end="", flush=True)
        try:
            file = Path(folder, "left").open("w+", encoding="utf-8")
            file.write(text)
            file.flush()
        except OSError as error:
            raise Err(str(error)) from None
        kept = (text, file)

    def left(self) -> list[str]:
        left = [os.environ["LEFT"]] if "LEFT" in os.environ else []
        if kept:
            text, file = kept
            file.seek(0)
            left += [text, file.read()]
        return left
