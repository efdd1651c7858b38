"""What the lines of a log look like, as the formats that dpkg might have printed them with."""

import calendar

from parse import Parser, with_pattern
from wit_world.imports.types import Action, Fault, State

ACTIONS = {action.name.lower(): action for action in Action}
STATES = {state.name.lower().replace("_", "-"): state for state in State}


def kind(pattern: str, convert=str):
    """A kind of field: what it looks like and what becomes of it."""
    return with_pattern(pattern)(lambda text: convert(text))


def one_of(words: dict):
    return kind("|".join(words), words.__getitem__)


KINDS = {
    "Year": kind(r"19[7-9][0-9]|[2-9][0-9]{3}", int),
    "Month": kind(r"0[1-9]|1[0-2]", int),
    "Day": kind(r"0[1-9]|[12][0-9]|3[01]", int),
    "Hour": kind(r"[01][0-9]|2[0-3]", int),
    "Sixty": kind(r"[0-5][0-9]", int),
    "Action": one_of(ACTIONS),
    "State": one_of(STATES),
    # The name without the architecture.
    "Package": kind(r"[A-Za-z0-9+._-]+(?::[^ ]*)?", lambda text: text.partition(":")[0]),
    "What": kind(r"archives|packages"),
    "Kept": kind(r"install|keep"),
    "Word": kind(r"[^ ]*"),
    "Rest": kind(r".*"),
}


def form(text: str) -> Parser:
    return Parser(text, KINDS, case_sensitive=True)


TIMES = "{:Year}-{:Month}-{:Day} {:Hour}:{:Sixty}:{:Sixty}"
TIMED = form(TIMES + " {rest:Rest}")
JUST_TIME = form(TIMES)
FORMS = {
    "startup": form("startup {:What} {:Word}"),
    "conffile": form("conffile {:Rest} {:Kept}"),
    "status": form("status {state:State} {package:Package} {:Word}"),
} | dict.fromkeys(ACTIONS, form("{action:Action} {package:Package} {old:Word} {new:Word}"))


def parse(line: str) -> tuple[int, dict] | Fault:
    """When it was and the fields that have a name, or what is wrong with the line."""
    timed = TIMED.parse(line)
    if timed is None:
        return Fault.VERB if JUST_TIME.parse(line) else Fault.TIME
    rest = timed["rest"]
    verb, _, _ = rest.partition(" ")
    if verb not in FORMS:
        return Fault.VERB
    event = FORMS[verb].parse(rest)
    # A day beyond its month counts on into the next.
    return (calendar.timegm(timed.fixed), event.named) if event else Fault.FIELDS
