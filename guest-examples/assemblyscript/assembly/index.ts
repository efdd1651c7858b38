// The world `example:redact/redactor`, by hand: a string comes as its address and its length in
// UTF-8, flags as bits, a `char` as its number, and a result goes as the address of a record.

import { KINDS, Redactor } from "./redact";
import { Text } from "./text";

/** The record `redacted`: text and its length, counts and their length, four bytes each. */
const RESULT: usize = memory.data(16);
/** The list `counts`: each a byte of flags, three of nothing, and a `u32`. */
const COUNTS: usize = memory.data(8 * KINDS);

export function redact(text: usize, length: usize, what: u32, mask: i32): usize {
  const redactor = new Redactor(what, mask);
  redactor.run(text, text + length);
  if (length > 0) heap.free(text);

  let counts = COUNTS;
  for (let kind = 0; kind < KINDS; kind++) {
    const count = redactor.counts[kind];
    if (count == 0) continue;
    const flag = 1 << kind;
    store<u8>(counts, <u8>flag);
    store<u32>(counts, count, 4);
    counts += 8;
  }
  store<usize>(RESULT, redactor.out.start);
  store<usize>(RESULT, redactor.out.length, 4);
  store<usize>(RESULT, COUNTS, 8);
  store<usize>(RESULT, (counts - COUNTS) / 8, 12);
  return RESULT;
}

/** Called by the host once it has read the result. */
export function cabi_post_redact(result: usize): void {
  Text.free(load<usize>(result));
  // Nothing is on the stack now, so all that is garbage can be told by looking at globals.
  __collect();
}

/** Called by the host to make room for an argument. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  if (size == 0) return align;
  return oldSize == 0 ? heap.alloc(size) : heap.realloc(old, size);
}
