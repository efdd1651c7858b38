// One line of a log.

import type { Action, Change, Fault, State } from "example:logs/types@0.1.0";

/** What a line says, and when. */
export type Entry = { time: bigint } & (
  | { kind: "action"; action: Action; name: string; change: Change | undefined }
  | { kind: "status"; state: State; name: string }
  | { kind: "other" }
);

/** All actions, in the order of the world. */
export const ACTIONS = [
  "install",
  "upgrade",
  "configure",
  "trigproc",
  "disappear",
  "remove",
  "purge",
] as const satisfies readonly Action[];

const STATES = [
  "not-installed",
  "config-files",
  "half-installed",
  "unpacked",
  "half-configured",
  "triggers-awaited",
  "triggers-pending",
  "installed",
] as const satisfies readonly State[];

const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?= |$)/;
const PACKAGE = /^([A-Za-z0-9+._-]+)(:|$)/;

/** Understands a line, or says what is wrong with it. */
export function parse(line: string): Entry | Fault {
  const time = readTime(line);
  if (time === undefined) return "time";
  const [verb = "", ...words] = line.split(" ").slice(2);
  const [first = "", second = "", third = ""] = words;
  switch (verb) {
    case "startup": {
      const fits = words.length === 2 && ["archives", "packages"].includes(first);
      return fits ? { time, kind: "other" } : "fields";
    }
    case "conffile": {
      const fits = words.length >= 2 && ["install", "keep"].includes(words.at(-1) ?? "");
      return fits ? { time, kind: "other" } : "fields";
    }
    case "status": {
      const name = bare(second);
      const fits = words.length === 3 && isOneOf(STATES, first) && name !== undefined;
      return fits ? { time, kind: "status", state: first, name } : "fields";
    }
    default: {
      if (!isOneOf(ACTIONS, verb)) return "verb";
      const name = bare(first);
      if (words.length !== 3 || name === undefined) return "fields";
      return { time, kind: "action", action: verb, name, change: change(verb, second, third) };
    }
  }
}

function isOneOf<T extends string>(all: readonly T[], word: string): word is T {
  return (all as readonly string[]).includes(word);
}

function change(action: Action, before: string, now: string): Change | undefined {
  switch (action) {
    case "install":
      return { tag: "installed", val: now };
    case "upgrade":
      return { tag: "upgraded", val: [before, now] };
    case "disappear":
    case "remove":
      return { tag: "removed", val: before };
    case "purge":
      return { tag: "purged" };
    case "configure":
    case "trigproc":
      return undefined;
  }
}

/** The name without the architecture. */
function bare(name: string): string | undefined {
  return PACKAGE.exec(name)?.[1];
}

/** Seconds since 1970. A day beyond its month counts on into the next. */
function readTime(line: string): bigint | undefined {
  const parts = TIME.exec(line)?.slice(1).map(Number);
  if (parts === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const inDay = hour < 24 && minute < 60 && second < 60;
  const inYear = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (!(year >= 1970 && inYear && inDay)) return undefined;
  return BigInt(Date.UTC(year, month - 1, day, hour, minute, second) / 1000);
}
