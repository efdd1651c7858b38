"""The work in Python, with the very code of the Python guest.

    serve.py FOLDER pipe            answers until its input ends
    serve.py FOLDER once WORK TEXT  answers once and ends

FOLDER is guest-examples/python. A question is the length of the work's name and of the text, as 32-bit
numbers with the least significant byte first, then both. An answer is its length, five such numbers
that say how often each kind of secret was hidden, and the text.
"""

import enum
import struct
import sys
from collections import namedtuple
from types import ModuleType


class Secrets(enum.Flag):
    TIMES = enum.auto()
    EMAILS = enum.auto()
    ADDRESSES = enum.auto()
    VERSIONS = enum.auto()
    PACKAGES = enum.auto()


def stand_in(name: str, **names: object) -> None:
    """A module that componentize-py would have made."""
    module = ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module


Redacted = namedtuple("Redacted", "text counts")
stand_in("wit_world", WitWorld=object)
stand_in("wit_world.imports")
types = {"Options": object, "Redacted": Redacted, "Secrets": Secrets, "Summary": object}
stand_in("wit_world.imports.types", **types)
stand_in("sessions", Session=object)
sys.path.insert(0, sys.argv[1])

import app  # noqa: E402

ALL = Secrets.TIMES | Secrets.EMAILS | Secrets.ADDRESSES | Secrets.VERSIONS | Secrets.PACKAGES
WORLD = app.WitWorld()


def answer(work: str, text: str) -> bytes:
    if work == "echo":
        return bytes(20) + text.encode()
    redacted = WORLD.redact(text, ALL, "*")
    counts = dict(redacted.counts)
    numbers = (counts.get(kind, 0) for kind in Secrets)
    return struct.pack("<5I", *numbers) + redacted.text.encode()


def serve() -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        lengths = struct.unpack("<2I", head)
        work, text = (source.read(length).decode() for length in lengths)
        out = answer(work, text)
        sink.write(struct.pack("<I", len(out)) + out)
        sink.flush()


if sys.argv[2] == "pipe":
    serve()
else:
    sys.stdout.buffer.write(answer(*sys.argv[3:5]))
