"""The world `example:kinds/dictionary` in Python: prepares itself while it is componentized."""

import gc

import wit_world

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def spell(n: int) -> str:
    """How the word with this number is written."""
    word, rest = "", n * 48271 % 2147483647
    while rest:
        rest, digit = divmod(rest, len(SYLLABLES))
        word += SYLLABLES[digit]
    return word


WORDS = {spell(n): f"word {n}" for n in range(1, 100_001)}


class WitWorld(wit_world.WitWorld):
    def size(self) -> int:
        return len(WORDS)

    def look_up(self, word: str) -> str | None:
        return WORDS.get(word)


# What was made up to here lives for ever: the collector need not look at it again.
gc.collect()
gc.freeze()
