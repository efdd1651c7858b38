// The world `example:kinds/dictionary` in JavaScript: prepares itself while it is componentized.

const SYLLABLES = [..."bdfgklmnprstvz"].flatMap((consonant) =>
  [..."aeiou"].map((vowel) => consonant + vowel),
);

const WORDS = new Map();
for (let n = 1; n <= 100_000; n += 1) WORDS.set(spell(n), `word ${n}`);

/** How the word with this number is written. */
function spell(n) {
  let word = "";
  for (let rest = (n * 48271) % 2147483647; rest > 0; rest = Math.floor(rest / 70)) {
    word += SYLLABLES[rest % 70];
  }
  return word;
}

export function size() {
  return WORDS.size;
}

export function lookUp(word) {
  return WORDS.get(word);
}
