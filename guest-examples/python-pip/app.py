"""The world `example:logs/logs` in Python with a package from PyPI: sums up and redacts a log of dpkg."""

import gc
import re
from collections import Counter

import wit_world
from sessions import Session
from wit_world.imports.types import Options, Redacted, Secrets, Summary

WORD = re.compile(r"[A-Za-z0-9@.:+~_-]+")
OCTET = r"(?:25[0-5]|2[0-4]\d|[01]?\d?\d)"
SECRETS = {
    Secrets.TIMES: re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d"),
    Secrets.EMAILS: re.compile(r"[^@]+@[^@.]*\.[^@]*"),
    Secrets.ADDRESSES: re.compile(rf"{OCTET}(\.{OCTET}){{3}}(:\d{{1,5}})?"),
    Secrets.VERSIONS: re.compile(r"\d.*[.+~-].*"),
    Secrets.PACKAGES: re.compile(r"[A-Za-z0-9][^:]*:[a-z][^:]*"),
}


class WitWorld(wit_world.WitWorld):
    def analyze(self, log: str, options: Options) -> Summary:
        session = Session(options)
        session.feed(log)
        return session.finish()

    def redact(self, text: str, what: Secrets, mask: str) -> Redacted:
        counts: Counter[Secrets] = Counter()

        def hide(run: re.Match[str]) -> str:
            word = run[0].rstrip(".:-")
            kind = next((k for k in SECRETS if SECRETS[k].fullmatch(word)), None)
            if kind is None or kind not in what:
                return run[0]
            counts[kind] += 1
            return mask * len(word) + run[0][len(word) :]

        hidden = WORD.sub(hide, text)
        return Redacted(hidden, [(kind, counts[kind]) for kind in SECRETS if kind in counts])


# What was made up to here lives for ever: the collector need not look at it again.
gc.collect()
gc.freeze()
