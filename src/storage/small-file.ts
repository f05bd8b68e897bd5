/**
 * Reads of small files, one system call each for opening, reading and closing: most of a collector's time is spent here.
 * Links and pipes are never followed: whoever may write to the store must not make us read, or wait for, something else.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { systemCodeOf } from "../errors.ts";

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const MAXIMUM_BYTES = 16 * 1024 * 1024;

let buffer = Buffer.allocUnsafeSlow(64 * 1024);

/** Content of a regular file; undefined when there is none. Valid until the next read: it is a view of one shared buffer. */
export function readSmallFile(path: string): Buffer | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  try {
    let length = readSync(descriptor, buffer, 0, buffer.length, 0);
    if (length === buffer.length) length = readRest(descriptor, path, length);
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

function readRest(descriptor: number, path: string, read: number): number {
  const { size } = fstatSync(descriptor);
  if (size > MAXIMUM_BYTES) throw new Error(`${path} has ${size} bytes, more than any manifest or configuration`);
  let length = read;
  for (;;) {
    if (length === buffer.length) {
      if (length > MAXIMUM_BYTES) throw new Error(`${path} does not end`);
      buffer = Buffer.concat([buffer, Buffer.allocUnsafeSlow(buffer.length)]);
    }
    const more = readSync(descriptor, buffer, length, buffer.length - length, length);
    if (more === 0) return length;
    length += more;
  }
}

/** Text of a `link` file; undefined = there is none, empty = it was cut off by a crash or a full disk. */
export function readLink(folder: string): string | undefined {
  const content = readSmallFile(`${folder}/link`);
  return content?.toString("latin1");
}

/** When a `link` file was written, in ms since 1970; undefined = there is none. */
export function linkTime(folder: string): number | undefined {
  return lstatSync(`${folder}/link`, { throwIfNoEntry: false })?.mtimeMs;
}

/** Whether there is anything at a path; a link counts, wherever it leads. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
