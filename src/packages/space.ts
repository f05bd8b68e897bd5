import { statfs } from "node:fs/promises";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";

/** Package lists, packages, what they unpack to, the layer and the archive, with room to spare. */
const NEEDED_BYTES = 150_000_000;
/** Below this a failed write is a full disk, whatever the program that wrote said. */
const FULL_BELOW_BYTES = 1024 * 1024;

/** `disk-full` before anything is fetched. */
export async function requireSpace(directory: string): Promise<void> {
  const free = await freeBytes(directory);
  if (free < NEEDED_BYTES)
    throw fullError(directory, `${megabytes(free)} MB are free, ${megabytes(NEEDED_BYTES)} MB are needed`);
}

/** `disk-full` when that is why a program failed. */
export async function failIfFull(directory: string): Promise<void> {
  if ((await freeBytes(directory)) < FULL_BELOW_BYTES) throw fullError(directory, "no space is left");
}

/** What Node's file calls throw while an image is assembled, as the user's problem; bugs stay as they are. */
export function toAssembleError(error: unknown, directory: string): unknown {
  if (error instanceof RegctlError) return error;
  const code = systemCodeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return fullError(directory, messageOf(error), error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR") {
    return new RegctlError("permission-denied", `cannot assemble the image in ${directory}: ${messageOf(error)}`, {
      cause: error,
      hint: `make ${directory} a folder you can write to, or set XDG_CACHE_HOME to one`,
    });
  }
  return error;
}

/** A file system out of inodes has no room for a file either. */
async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize, files, ffree } = await statfs(directory);
  return files > 0 && ffree === 0 ? 0 : bavail * bsize;
}

function fullError(directory: string, why: string, cause?: unknown): RegctlError {
  return new RegctlError("disk-full", `cannot assemble the image in ${directory}: ${why}`, {
    cause,
    hint: `free ${megabytes(NEEDED_BYTES)} MB there, or set XDG_CACHE_HOME to a folder on another disk`,
  });
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
