// Hides what should not leave the house. Secrets are of ASCII, so UTF-8 is searched as it is.

import { Text } from "./text";

/** The letters that matter; the language has no literals for them. */
const PLUS: u8 = 0x2b;
const DASH: u8 = 0x2d;
const DOT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const NINE: u8 = 0x39;
const COLON: u8 = 0x3a;
const AT: u8 = 0x40;
const UNDERSCORE: u8 = 0x5f;
const A: u8 = 0x61;
const Z: u8 = 0x7a;
const TILDE: u8 = 0x7e;

/** How many kinds of secrets there are: times, emails, addresses, versions, packages. */
export const KINDS: i32 = 5;

export class Redactor {
  out: Text = new Text();
  counts: StaticArray<u32> = new StaticArray<u32>(KINDS);
  private mask: ArrayBuffer;

  constructor(
    private what: u32,
    mask: i32,
  ) {
    this.mask = String.UTF8.encode(String.fromCodePoint(mask));
  }

  /** Redacts what stands from `at` to `end`. */
  run(at: usize, end: usize): void {
    while (at < end) {
      const start = at;
      while (at < end && !isInWord(load<u8>(at))) at++;
      const word = at;
      while (at < end && isInWord(load<u8>(at))) at++;
      let tail = at;
      while (tail > word && isPunctuation(load<u8>(tail - 1))) tail--;

      const kind = kindOf(word, tail);
      if (kind >= 0 && (this.what & (1 << kind)) != 0) {
        this.counts[kind] += 1;
        this.out.append(start, word);
        this.hide(tail - word);
        this.out.append(tail, at);
      } else {
        this.out.append(start, at);
      }
    }
  }

  /** Appends the mask so often. */
  private hide(letters: usize): void {
    const mask = changetype<usize>(this.mask);
    for (let i: usize = 0; i < letters; i++) this.out.append(mask, mask + this.mask.byteLength);
  }
}

/** The first kind of secret that the word looks like, or -1. */
function kindOf(word: usize, end: usize): i32 {
  if (word == end) return -1;
  if (isLike(word, end, "0000-00-00") || isLike(word, end, "00:00:00")) return 0;
  if (isEmail(word, end)) return 1;
  if (isAddress(word, end)) return 2;
  if (isVersion(word, end)) return 3;
  return isPackage(word, end) ? 4 : -1;
}

/** Whether the word has a digit for every 0 of the shape, and else the same letters. */
function isLike(word: usize, end: usize, shape: string): bool {
  if (end - word != shape.length) return false;
  for (let i = 0; i < shape.length; i++) {
    const letter = load<u8>(word + i);
    const expected = <u8>shape.charCodeAt(i);
    if (expected == ZERO ? !isDigit(letter) : letter != expected) return false;
  }
  return true;
}

function isEmail(word: usize, end: usize): bool {
  const at = find(AT, word, end);
  if (at == word || at == end) return false;
  const host = at + 1;
  return find(AT, host, end) == end && find(DOT, host, end) < end;
}

function isAddress(word: usize, end: usize): bool {
  const colon = find(COLON, word, end);
  let at = word;
  for (let part = 0; part < 4; part++) {
    const dot = part < 3 ? find(DOT, at, colon) : colon;
    if (dot == colon && part < 3) return false;
    if (!isNumber(at, dot, 3) || numberOf(at, dot) > 255) return false;
    at = dot + 1;
  }
  return colon == end || isNumber(colon + 1, end, 5);
}

function isVersion(word: usize, end: usize): bool {
  if (!isDigit(load<u8>(word))) return false;
  for (let at = word; at < end; at++) {
    const letter = load<u8>(at);
    if (letter == DOT || letter == PLUS || letter == TILDE || letter == DASH) {
      return true;
    }
  }
  return false;
}

function isPackage(word: usize, end: usize): bool {
  const colon = find(COLON, word, end);
  const arch = colon + 1;
  if (colon == word || arch >= end || find(COLON, arch, end) < end) return false;
  return isAlphanumeric(load<u8>(word)) && isLower(load<u8>(arch));
}

/** Where the letter is, or the end. */
function find(letter: u8, from: usize, end: usize): usize {
  while (from < end && load<u8>(from) != letter) from++;
  return from;
}

/** Whether there are only digits, and at least one and at most so many. */
function isNumber(from: usize, end: usize, most: usize): bool {
  if (from >= end || end - from > most) return false;
  for (let at = from; at < end; at++) if (!isDigit(load<u8>(at))) return false;
  return true;
}

function numberOf(from: usize, end: usize): u32 {
  let number: u32 = 0;
  for (let at = from; at < end; at++) number = number * 10 + (load<u8>(at) - ZERO);
  return number;
}

function isInWord(letter: u8): bool {
  return (
    isAlphanumeric(letter) ||
    isPunctuation(letter) ||
    letter == AT ||
    letter == PLUS ||
    letter == TILDE ||
    letter == UNDERSCORE
  );
}

/** What may stand in a word and is no part of it at its end. */
function isPunctuation(letter: u8): bool {
  return letter == DOT || letter == COLON || letter == DASH;
}

function isAlphanumeric(letter: u8): bool {
  return isDigit(letter) || isLower(letter) || isLower(letter | 0x20);
}

function isDigit(letter: u8): bool {
  return letter >= ZERO && letter <= NINE;
}

function isLower(letter: u8): bool {
  return letter >= A && letter <= Z;
}
