// The world `example:logs/logs` in TypeScript: sums up and redacts a log of dpkg.

import type * as World from "example:logs/logs@0.1.0";

import { redact as redactText } from "./redact";
import { Session } from "./session";

export const analyze: typeof World.analyze = (log, options) => {
  const session = new Session(options);
  session.feed(log);
  return session.finish();
};

export const redact: typeof World.redact = redactText;

export const sessions: typeof World.sessions = { Session };
