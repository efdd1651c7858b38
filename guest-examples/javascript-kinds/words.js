// The world `example:kinds/dictionary` in JavaScript: prepares itself when first asked to.

const SYLLABLES = [..."bdfgklmnprstvz"].flatMap((consonant) =>
  [..."aeiou"].map((vowel) => consonant + vowel),
);

// Not made at the top level: that runs while the component is made, and all of it would be in the file.
let words;

export function prepare() {
  if (words) return;
  words = new Map();
  for (let n = 1; n <= 100_000; n += 1) words.set(spell(n), `word ${n}`);
}

/** How the word with this number is written. */
function spell(n) {
  let word = "";
  for (let rest = (n * 48271) % 2147483647; rest > 0; rest = Math.floor(rest / 70)) {
    word += SYLLABLES[rest % 70];
  }
  return word;
}

export function size() {
  prepare();
  return words.size;
}

export function lookUp(word) {
  prepare();
  return words.get(word);
}
