/** Files that are either the old or the new one, never half of each. */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";
import { FILES } from "./paths.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface FileChange {
  /** Relative to the deployment folder. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** Given only when regctl runs as root; others cannot give files away. */
  readonly owner?: Owner | undefined;
  /** Written over the file there is, by a transaction: renaming over what a container has a mount upon takes that away. */
  readonly inPlace?: boolean;
}

/** Translates what the file system says into what the user can do about it. */
export function fileError(error: unknown, action: string): RegctlError {
  const code = systemCodeOf(error);
  if (error instanceof RegctlError) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new RegctlError("disk-full", `cannot ${action}: the disk is full`, {
      cause: error,
      hint: "free some space (`df -h`), then run the same command again: nothing was changed",
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new RegctlError("permission-denied", `cannot ${action}: ${messageOf(error)}`, {
      cause: error,
      hint: "run it as the owner of the folder, or with sudo",
    });
  }
  return new RegctlError("operation-failed", `cannot ${action}: ${messageOf(error)}`, { cause: error });
}

/** A folder's entries are durable only once the folder itself was synced. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes and syncs a new file; fails if it exists. */
export async function writeNewFile(
  path: string,
  change: Pick<FileChange, "content" | "mode" | "owner">,
): Promise<void> {
  const handle: FileHandle = await open(path, "wx", change.mode);
  try {
    await handle.writeFile(change.content);
    // The umask may have taken bits away.
    await handle.chmod(change.mode);
    if (change.owner !== undefined) await handle.chown(change.owner.uid, change.owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Text of a file; undefined = there is none. */
export async function readIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return undefined;
    throw fileError(error, `read ${path}`);
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return false;
    throw fileError(error, `look at ${path}`);
  }
}

/** The path without links, also of a folder that is not there yet: containers are labelled with it. */
export async function canonicalPath(path: string): Promise<string> {
  if (await exists(path)) return realpath(path);
  return join(await canonicalPath(dirname(path)), basename(path));
}

/**
 * Replaces one file at once. The new text is staged inside `.regctl`, where the next command sweeps what a killed one
 * left, and moved into place; a reader that compares modification times always sees a new one.
 */
export async function replaceFile(directory: string, change: FileChange): Promise<void> {
  const target = join(directory, change.path);
  const staged = join(directory, FILES.journal, `${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(staged), { recursive: true, mode: 0o700 });
    await writeNewFile(staged, change);
    await distinctModificationTime(staged, target);
    await rename(staged, target);
    await syncDirectory(dirname(target));
  } catch (error) {
    await rm(staged, { force: true });
    throw fileError(error, `write ${target}`);
  }
}

/** distribution re-reads htpasswd only when its modification time differs; two edits can fall into one tick of the clock. */
async function distinctModificationTime(staged: string, target: string): Promise<void> {
  const before = await stat(target).catch(() => undefined);
  if (before === undefined) return;
  const handle = await open(staged, "r+");
  try {
    const { mtimeMs } = await handle.stat();
    if (mtimeMs === before.mtimeMs) await handle.utimes(new Date(), new Date(mtimeMs + 10));
  } finally {
    await handle.close();
  }
}
