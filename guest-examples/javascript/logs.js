// The world `example:logs/logs` in JavaScript: sums up and redacts a log of dpkg.

import * as lookup from "example:logs/lookup@0.1.0";

const ACTIONS = ["install", "upgrade", "configure", "trigproc", "disappear", "remove", "purge"];
const STATES = [
  "not-installed",
  "config-files",
  "half-installed",
  "unpacked",
  "half-configured",
  "triggers-awaited",
  "triggers-pending",
  "installed",
];
const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?= |$)/;
const PACKAGE = /^([A-Za-z0-9+._-]+)(:|$)/;

const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|[01]?\d?\d)`;
const SECRETS = {
  times: /^(\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d)$/,
  emails: /^[^@]+@[^@.]*\.[^@]*$/,
  addresses: new RegExp(String.raw`^${OCTET}(\.${OCTET}){3}(:\d{1,5})?$`),
  versions: /^\d.*[.+~-]/,
  packages: /^[A-Za-z0-9][^:]*:[a-z][^:]*$/,
};

class Session {
  #options;
  #partial = ""; // a line that has no end yet
  #lines = 0;
  #entries = 0;
  #unknown = 0;
  #firstBad = null;
  #span = null;
  #actions = new Map();
  #packages = new Map();
  #pauses = [];

  constructor(options) {
    this.#options = {
      ...options,
      skip: unsigned(options.skip),
      since: signed(options.since) ?? null,
    };
  }

  settings() {
    return this.#options;
  }

  feed(text) {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop();
    for (const line of lines) this.#read(line);
    return this.#lines;
  }

  finish() {
    if (this.#partial !== "") this.feed("\n");
    if (this.#lines === 0) throw { tag: "empty" };
    if (this.#options.strict && this.#firstBad) throw { tag: "line", val: this.#firstBad };
    const [first, last] = this.#span ?? [0, 0];
    return {
      lines: this.#lines,
      entries: this.#entries,
      unknown: this.#unknown,
      span: this.#span,
      perHour: (this.#entries * 3600) / (last - first),
      actions: ACTIONS.filter((action) => this.#actions.has(action)).map((action) => [
        action,
        this.#actions.get(action),
      ]),
      packages: this.#packages.size,
      busiest: this.#busiest(),
      pauses: this.#pauses,
    };
  }

  #read(line) {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#lines += 1;
    if (this.#lines <= this.#options.skip || text === "") return;
    const { fault, ...entry } = parse(text);
    if (fault) {
      this.#unknown += 1;
      this.#firstBad ??= { number: this.#lines, fault, text };
    } else if (this.#options.since === null || entry.time >= this.#options.since) {
      this.#count(entry);
    }
  }

  #count({ time, action, state, name, change }) {
    this.#entries += 1;
    const [first, after] = this.#span ?? [time, time];
    this.#span = [first, time];
    const seconds = time - after;
    if (this.#entries > 1 && seconds > this.#options.quiet) this.#pauses.push({ after, seconds });
    if (name === undefined) return;
    const fresh = { name, label: null, state: null, entries: 0, history: [] };
    const known = this.#packages.get(name) ?? fresh;
    this.#packages.set(name, known);
    known.entries += 1;
    if (action) this.#actions.set(action, (this.#actions.get(action) ?? 0) + 1);
    if (state) known.state = state;
    if (change) known.history.push([time, change]);
  }

  #busiest() {
    return [...this.#packages.values()]
      .sort((a, b) => b.entries - a.entries || (a.name < b.name ? -1 : 1))
      .slice(0, this.#options.top >>> 0)
      .map((known) => ({ ...known, label: label(known.name) }));
  }
}

// QuickJS is given 64-bit numbers as Number, with the upper half of `u64` as negative;
// StarlingMonkey as BigInt, with the negative half of `s64` as positive. Both compare with Number.

function unsigned(number) {
  return number < 0 ? number + 2 ** 64 : number;
}

function signed(number) {
  return typeof number === "bigint" ? BigInt.asIntN(64, number) : number;
}

function label(name) {
  try {
    return lookup.label(name);
  } catch (refusal) {
    throw { tag: "lookup", val: refusal.payload ?? refusal };
  }
}

/** What a line says, or `{ fault }`. */
function parse(line) {
  const time = readTime(line);
  if (time === null) return { fault: "time" };
  const [verb, ...words] = line.split(" ").slice(2);
  if (verb === "startup") {
    const fits = words.length === 2 && ["archives", "packages"].includes(words[0]);
    return fits ? { time } : { fault: "fields" };
  }
  if (verb === "conffile") {
    const fits = words.length >= 2 && ["install", "keep"].includes(words.at(-1));
    return fits ? { time } : { fault: "fields" };
  }
  if (verb === "status") {
    const [state, named] = words;
    const name = PACKAGE.exec(named)?.[1];
    const fits = words.length === 3 && STATES.includes(state) && name;
    return fits ? { time, state, name } : { fault: "fields" };
  }
  if (!ACTIONS.includes(verb)) return { fault: "verb" };
  const [named, before, now] = words;
  const name = PACKAGE.exec(named)?.[1];
  if (words.length !== 3 || !name) return { fault: "fields" };
  return { time, action: verb, name, change: change(verb, before, now) };
}

function change(action, before, now) {
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
  }
}

/** Seconds since 1970. A day beyond its month counts on into the next. */
function readTime(line) {
  const [year, month, day, hour, minute, second] = TIME.exec(line)?.slice(1).map(Number) ?? [];
  const inDay = hour < 24 && minute < 60 && second < 60;
  const inYear = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (!(year >= 1970 && inYear && inDay)) return null;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

export function analyze(log, options) {
  const session = new Session(options);
  session.feed(log);
  return session.finish();
}

export function redact(text, what, mask) {
  const counts = Object.fromEntries(Object.keys(SECRETS).map((kind) => [kind, 0]));
  const hidden = text.replace(/[A-Za-z0-9@.:+~_-]+/g, (run) => {
    let end = run.length;
    while (".:-".includes(run[end - 1])) end -= 1;
    const word = run.slice(0, end);
    const kind = Object.keys(SECRETS).find((kind) => SECRETS[kind].test(word));
    if (!what[kind]) return run;
    counts[kind] += 1;
    return mask.repeat(end) + run.slice(end);
  });
  const found = Object.entries(counts).filter(([, count]) => count > 0);
  return { text: hidden, counts: found.map(([kind, count]) => [{ [kind]: true }, count]) };
}

export const sessions = { Session };
