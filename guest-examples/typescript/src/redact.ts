// Hides what should not leave the house.

import type { Redacted, Secrets } from "example:logs/types@0.1.0";

type Kind = keyof Secrets;

const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|[01]?\d?\d)`;

/** What the kinds of secrets look like. A word is of the first that fits. */
const KINDS: readonly [Kind, RegExp][] = [
  ["times", /^(\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d)$/],
  ["emails", /^[^@]+@[^@.]*\.[^@]*$/],
  ["addresses", new RegExp(String.raw`^${OCTET}(\.${OCTET}){3}(:\d{1,5})?$`)],
  ["versions", /^\d.*[.+~-]/],
  ["packages", /^[A-Za-z0-9][^:]*:[a-z][^:]*$/],
];

export function redact(text: string, what: Secrets, mask: string): Redacted {
  const counts = new Map<Kind, number>();
  const hidden = text.replace(/[A-Za-z0-9@.:+~_-]+/g, (run) => {
    let end = run.length;
    while (end > 0 && ".:-".includes(run.charAt(end - 1))) end -= 1;
    const word = run.slice(0, end);
    const kind = KINDS.find(([, shape]) => shape.test(word))?.[0];
    if (kind === undefined || !what[kind]) return run;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return mask.repeat(end) + run.slice(end);
  });
  const found = KINDS.flatMap(([kind]): [Secrets, number][] => {
    const count = counts.get(kind);
    return count === undefined ? [] : [[{ [kind]: true }, count]];
  });
  return { text: hidden, counts: found };
}
