import type { Dirent } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";

export interface FreeSpace {
  /** What an unprivileged process may still write: root's reserve is not counted. */
  readonly bytesFree: number;
  readonly bytesTotal: number;
  /** 0 on file systems without a fixed number of them (btrfs) together with `inodesTotal` 0. */
  readonly inodesFree: number;
  readonly inodesTotal: number;
}

const STAT_BATCH = 256;

/** Space of the file system that holds `path`, or would: the nearest existing parent is asked. */
export async function freeSpace(path: string): Promise<FreeSpace> {
  let current = resolve(path);
  for (;;) {
    try {
      const { bavail, blocks, bsize, ffree, files } = await statfs(current);
      return { bytesFree: bavail * bsize, bytesTotal: blocks * bsize, inodesFree: ffree, inodesTotal: files };
    } catch (error) {
      if (!isGone(error) || current === dirname(current)) throw diskError(current, error);
      current = dirname(current);
    }
  }
}

/**
 * Bytes of disk a folder takes (allocated blocks, as `du` counts; files linked twice count twice). What vanishes while
 * it is read counts nothing, and so does a missing folder. `permission-denied` when a part cannot be read.
 */
export async function directoryBytes(path: string, signal?: AbortSignal): Promise<number> {
  const pending = [path];
  let total = await allocatedBytes(path);
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const entries = await listEntries(directory);
    for (let start = 0; start < entries.length; start += STAT_BATCH) {
      if (signal?.aborted) throw new RegctlError("interrupted", `reading the size of ${path} was interrupted`);
      const paths = entries.slice(start, start + STAT_BATCH).map((entry) => join(entry.parentPath, entry.name));
      for (const bytes of await Promise.all(paths.map(allocatedBytes))) total += bytes;
    }
    for (const entry of entries) if (entry.isDirectory()) pending.push(join(entry.parentPath, entry.name));
  }
  return total;
}

async function allocatedBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch (error) {
    if (isGone(error)) return 0;
    throw diskError(path, error);
  }
}

async function listEntries(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw diskError(directory, error);
  }
}

function isGone(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function diskError(path: string, cause: unknown): RegctlError {
  const code = systemCodeOf(cause) === "EACCES" ? "permission-denied" : "operation-failed";
  return new RegctlError(code, `cannot read ${path}: ${messageOf(cause)}`, { cause });
}
