"""The world `example:kinds/dictionary` in Python: prepares itself when first asked to."""

import functools
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


@functools.cache
def words() -> dict[str, str]:
    """All words. Not made while the module is imported: that is when the component is made."""
    made = {spell(n): f"word {n}" for n in range(1, 100_001)}
    # They live for ever: the collector need not look at them again.
    gc.collect()
    gc.freeze()
    return made


class WitWorld(wit_world.WitWorld):
    def prepare(self) -> None:
        words()

    def size(self) -> int:
        return len(words())

    def look_up(self, word: str) -> str | None:
        return words().get(word)
