"""Reads a log in pieces and sums it up: the interface `sessions`."""

import math
from collections import Counter
from dataclasses import replace

from componentize_py_types import Err
from lines import parse
from wit_world.exports import sessions
from wit_world.imports import lookup
from wit_world.imports.types import (
    Action,
    Activity,
    BadLine,
    Change_Installed,
    Change_Purged,
    Change_Removed,
    Change_Upgraded,
    Fault,
    Options,
    ParseError_Empty,
    ParseError_Line,
    ParseError_Lookup,
    Pause,
    Summary,
)

CHANGES = {
    Action.INSTALL: lambda _, new: Change_Installed(new),
    Action.UPGRADE: lambda old, new: Change_Upgraded((old, new)),
    Action.DISAPPEAR: lambda old, _: Change_Removed(old),
    Action.REMOVE: lambda old, _: Change_Removed(old),
    Action.PURGE: lambda *_: Change_Purged(),
}


class Session(sessions.Session):
    def __init__(self, options: Options) -> None:
        self.options = options
        self.partial = ""  # a line that has no end yet
        self.lines = self.entries = self.unknown = 0
        self.first_bad: BadLine | None = None
        self.span: tuple[int, int] | None = None
        self.actions: Counter[Action] = Counter()
        self.packages: dict[str, Activity] = {}
        self.pauses: list[Pause] = []

    def settings(self) -> Options:
        return self.options

    def feed(self, text: str) -> int:
        *lines, self.partial = (self.partial + text).split("\n")
        for line in lines:
            self.read(line)
        return self.lines

    def finish(self) -> Summary:
        if self.partial:
            self.feed("\n")
        if self.lines == 0:
            raise Err(ParseError_Empty())
        if self.options.strict and self.first_bad:
            raise Err(ParseError_Line(self.first_bad))
        return Summary(
            lines=self.lines,
            entries=self.entries,
            unknown=self.unknown,
            span=self.span,
            per_hour=self.per_hour(),
            actions=[(a, self.actions[a]) for a in Action if a in self.actions],
            packages=len(self.packages),
            busiest=self.busiest(),
            pauses=self.pauses,
        )

    def read(self, line: str) -> None:
        line = line.removesuffix("\r")
        self.lines += 1
        if self.lines <= self.options.skip or not line:
            return
        match parse(line):
            case Fault() as fault:
                self.unknown += 1
                self.first_bad = self.first_bad or BadLine(self.lines, fault, line)
            case time, event:
                if self.options.since is None or time >= self.options.since:
                    self.count(time, **event)

    def count(self, time, package=None, state=None, action=None, old="", new="") -> None:
        self.entries += 1
        first, after = self.span or (time, time)
        self.span = (first, time)
        if self.entries > 1 and time - after > self.options.quiet:
            self.pauses.append(Pause(after, float(time - after)))
        if package:
            fresh = Activity(package, label=None, state=None, entries=0, history=[])
            known = self.packages.setdefault(package, fresh)
            known.entries += 1
            known.state = state or known.state
            if action is not None:
                self.actions[action] += 1
            if action in CHANGES:
                known.history.append((time, CHANGES[action](old, new)))

    def per_hour(self) -> float:
        first, last = self.span or (0, 0)
        if first != last:
            return self.entries * 3600 / (last - first)
        return math.inf if self.entries else math.nan

    def busiest(self) -> list[Activity]:
        ranked = sorted(self.packages.values(), key=lambda p: (-p.entries, p.name))
        return [replace(p, label=label(p.name)) for p in ranked[: self.options.top]]


def label(name: str) -> str | None:
    try:
        return lookup.label(name)
    except Err as refusal:
        raise Err(ParseError_Lookup(refusal.value)) from None
