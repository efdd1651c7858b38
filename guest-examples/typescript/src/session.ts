// Reads a log in pieces and sums it up: the interface `sessions`.

import { label } from "example:logs/lookup@0.1.0";
import type { Session as Interface } from "example:logs/sessions@0.1.0";
import type {
  Action,
  Activity,
  BadLine,
  Options,
  ParseError,
  Pause,
  Refusal,
  Summary,
} from "example:logs/types@0.1.0";

import { ACTIONS, type Entry, parse } from "./line";

export class Session implements Interface {
  readonly #options: Options;
  #partial = ""; // a line that has no end yet
  #lines = 0n;
  #entries = 0;
  #unknown = 0;
  #firstBad: BadLine | undefined;
  #span: [bigint, bigint] | undefined;
  readonly #actions = new Map<Action, number>();
  readonly #packages = new Map<string, Activity>();
  readonly #pauses: Pause[] = [];

  constructor(options: Options) {
    // componentize-js 0.23.0 hands the negative half of `s64` over as positive.
    const since = options.since === undefined ? undefined : BigInt.asIntN(64, options.since);
    this.#options = { ...options, since };
  }

  settings(): Options {
    return this.#options;
  }

  feed(text: string): bigint {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#read(line);
    return this.#lines;
  }

  finish(): Summary {
    if (this.#partial !== "") this.feed("\n");
    if (this.#lines === 0n) fail({ tag: "empty" });
    if (this.#options.strict && this.#firstBad) fail({ tag: "line", val: this.#firstBad });
    const [first, last] = this.#span ?? [0n, 0n];
    return {
      lines: this.#lines,
      entries: this.#entries,
      unknown: this.#unknown,
      span: this.#span,
      perHour: (this.#entries * 3600) / Number(last - first),
      actions: ACTIONS.flatMap((action) => {
        const count = this.#actions.get(action);
        return count === undefined ? [] : [[action, count] satisfies [Action, number]];
      }),
      packages: this.#packages.size,
      busiest: this.#busiest(),
      pauses: this.#pauses,
    };
  }

  #read(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    this.#lines += 1n;
    if (this.#lines <= this.#options.skip || text === "") return;
    const entry = parse(text);
    if (typeof entry === "string") {
      this.#unknown += 1;
      this.#firstBad ??= { number: this.#lines, fault: entry, text };
    } else if (this.#options.since === undefined || entry.time >= this.#options.since) {
      this.#count(entry);
    }
  }

  #count(entry: Entry): void {
    const { time } = entry;
    this.#entries += 1;
    const [first, after] = this.#span ?? [time, time];
    this.#span = [first, time];
    const seconds = Number(time - after);
    if (this.#entries > 1 && seconds > this.#options.quiet) this.#pauses.push({ after, seconds });
    if (entry.kind === "other") return;

    const known = this.#package(entry.name);
    known.entries += 1;
    if (entry.kind === "status") {
      known.state = entry.state;
    } else {
      this.#actions.set(entry.action, (this.#actions.get(entry.action) ?? 0) + 1);
      if (entry.change) known.history.push([time, entry.change]);
    }
  }

  #package(name: string): Activity {
    const known = this.#packages.get(name) ?? { name, entries: 0, history: [] };
    this.#packages.set(name, known);
    return known;
  }

  #busiest(): Activity[] {
    return [...this.#packages.values()]
      .sort((a, b) => b.entries - a.entries || (a.name < b.name ? -1 : 1))
      .slice(0, this.#options.top)
      .map((known) => ({ ...known, label: ask(known.name) }));
  }
}

function ask(name: string): string | undefined {
  try {
    return label(name);
  } catch (error) {
    // What the host refuses with is thrown as the payload of an `Error`.
    fail({ tag: "lookup", val: (error as { payload: Refusal }).payload });
  }
}

/** What is thrown is the error of the function's `result`. */
function fail(error: ParseError): never {
  throw error;
}
