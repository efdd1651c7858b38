"""Reads a log in pieces and sums it up: the interface `sessions`."""

import calendar
import math
import re
from collections import Counter
from dataclasses import replace

from componentize_py_types import Err
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
    State,
    Summary,
)

ACTIONS = {action.name.lower(): action for action in Action}
STATES = {state.name.lower().replace("_", "-"): state for state in State}
CHANGES = {
    Action.INSTALL: lambda _, new: Change_Installed(new),
    Action.UPGRADE: lambda old, new: Change_Upgraded((old, new)),
    Action.DISAPPEAR: lambda old, _: Change_Removed(old),
    Action.REMOVE: lambda old, _: Change_Removed(old),
    Action.PURGE: lambda *_: Change_Purged(),
}
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?: |\Z)", re.ASCII)
PACKAGE = re.compile(r"([A-Za-z0-9+._-]+)(?::|\Z)")


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
            case time, *event:
                if self.options.since is None or time >= self.options.since:
                    self.count(time, *event)

    def count(self, time, name=None, state=None, action=None, change=None) -> None:
        self.entries += 1
        first, after = self.span or (time, time)
        self.span = (first, time)
        if self.entries > 1 and time - after > self.options.quiet:
            self.pauses.append(Pause(after, float(time - after)))
        if name:
            fresh = Activity(name, label=None, state=None, entries=0, history=[])
            package = self.packages.setdefault(name, fresh)
            package.entries += 1
            package.state = state or package.state
            if action:
                self.actions[action] += 1
            if change:
                package.history.append((time, change))

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


def parse(line: str) -> tuple | Fault:
    """When it was, then what `Session.count` takes, or what is wrong with the line."""
    time = read_time(line)
    if time is None:
        return Fault.TIME
    match line.split(" ")[2:]:
        case ["startup", "archives" | "packages", _]:
            return (time,)
        case ["conffile", _, *_, "install" | "keep"]:
            return (time,)
        case ["status", state, package, _] if state in STATES and bare(package):
            return time, bare(package), STATES[state]
        case [verb, package, old, new] if verb in ACTIONS and bare(package):
            action = ACTIONS[verb]
            change = CHANGES[action](old, new) if action in CHANGES else None
            return time, bare(package), None, action, change
        case [verb, *_] if verb in ACTIONS or verb in ("startup", "conffile", "status"):
            return Fault.FIELDS
        case _:
            return Fault.VERB


def bare(package: str) -> str | None:
    """The name without the architecture."""
    found = PACKAGE.match(package)
    return found and found[1]


def read_time(line: str) -> int | None:
    """Seconds since 1970. A day beyond its month counts on into the next."""
    found = TIME.match(line)
    if not found:
        return None
    year, month, day, hour, minute, second = parts = tuple(map(int, found.groups()))
    in_day = hour < 24 and minute < 60 and second < 60
    in_year = 1 <= month <= 12 and 1 <= day <= 31
    return calendar.timegm(parts) if year >= 1970 and in_year and in_day else None
