/** Digests of files of any size. */
import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { systemCodeOf } from "../errors.ts";

// A link put in a blob's place is not followed, a pipe not waited for.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

let buffer: Buffer | undefined;

export interface HashedFile {
  readonly hex: string;
  readonly bytes: number;
}

/**
 * SHA-256 of a file, yielding between pieces; `onBytes` is told of each. Undefined = there is no such file. Throws system
 * errors: ELOOP for a link, EIO for a disk that fails; `not a file` for anything else.
 */
export function* hashFile(path: string, onBytes?: (bytes: number) => void): Generator<void, HashedFile | undefined> {
  buffer ??= Buffer.allocUnsafeSlow(1024 * 1024);
  let descriptor: number;
  try {
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
  try {
    let length = readSync(descriptor, buffer, 0, buffer.length, 0);
    onBytes?.(length);
    if (length < buffer.length && (length > 0 || fstatSync(descriptor).isFile())) {
      return { hex: hash("sha256", buffer.subarray(0, length)), bytes: length };
    }
    if (!fstatSync(descriptor).isFile()) throw Object.assign(new Error(`${path} is not a file`), { code: "ELOOP" });
    const whole = createHash("sha256");
    let bytes = 0;
    while (length > 0) {
      whole.update(buffer.subarray(0, length));
      bytes += length;
      yield;
      length = readSync(descriptor, buffer, 0, buffer.length, bytes);
      onBytes?.(length);
    }
    return { hex: whole.digest("hex"), bytes };
  } finally {
    closeSync(descriptor);
  }
}

/** Hashes without keeping signals waiting. */
export async function hashWhole(path: string, signal: AbortSignal): Promise<HashedFile | undefined> {
  const steps = hashFile(path);
  let step = steps.next();
  for (let pieces = 0; step.done !== true; step = steps.next()) {
    pieces += 1;
    if (pieces % 32 !== 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return step.value;
}

/** Whether there is such a file, it can be read, and it has this digest. */
export async function hasDigest(path: string, hex: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await hashWhole(path, signal))?.hex === hex;
  } catch (error) {
    if (signal.aborted || systemCodeOf(error) === undefined) throw error;
    return false;
  }
}
