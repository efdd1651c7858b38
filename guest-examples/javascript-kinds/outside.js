// The world `example:kinds/outside` in JavaScript: asks the host for files, time and the rest.

import { getEnvironment } from "wasi:cli/environment@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

export function listFolder(path) {
  return within(path, { directory: true }, (folder) => {
    const entries = folder.readDirectory();
    const names = [];
    for (let entry; (entry = entries.readDirectoryEntry());) names.push(entry.name);
    entries[Symbol.dispose]();
    return names.sort();
  });
}

export function readFile(path) {
  return within(path, {}, (file) => {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    for (let offset = 0n, end = false; !end;) {
      let bytes;
      [bytes, end] = file.read(65536n, offset);
      offset += BigInt(bytes.length);
      text += decoder.decode(bytes, { stream: !end });
    }
    return text;
  });
}

/** Does something with what lies in one of the folders that the host granted. */
function within(path, flags, use) {
  return fromGranted(path, (folder, rest) => {
    const opened = folder.openAt({ symlinkFollow: true }, rest, flags, { read: true });
    try {
      return use(opened);
    } finally {
      opened[Symbol.dispose]();
    }
  });
}

let granted;

/** Does something with the granted folder that a path is in, and the rest of the path. */
function fromGranted(path, use) {
  granted ??= getDirectories();
  for (const [folder, name] of granted) {
    const start = name.endsWith("/") ? name : `${name}/`;
    if (!`${path}/`.startsWith(start)) continue;
    try {
      return use(folder, path.slice(start.length) || ".");
    } catch (error) {
      // What WASI refuses with is thrown as the payload of an `Error`; the world wants a text.
      throw String(error.payload ?? error);
    }
  }
  throw "not in a folder that was granted";
}

export function variable(name) {
  return getEnvironment().find(([key]) => key === name)?.[1];
}

export function now() {
  return BigInt(Date.now()) * 1_000_000n;
}

export function random() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}

export function say(line) {
  console.log(line);
}

let kept;

// No guest in JavaScript can set a variable of the environment, or print less than a line.
export function leave(text, folder) {
  console.log(text);
  fromGranted(`${folder}/left`, (granted, rest) => {
    const file = granted.openAt({}, rest, { create: true, truncate: true }, { read: true, write: true });
    file.write(new TextEncoder().encode(text), 0n);
    kept = { text, file };
  });
}

export function left() {
  if (!kept) return [];
  const [bytes] = kept.file.read(65536n, 0n);
  return [kept.text, new TextDecoder().decode(bytes)];
}
