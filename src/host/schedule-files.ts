/** Files of the host, outside of any deployment, that regctl writes for a schedule. */
import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";

function hostError(error: unknown, path: string): RegctlError {
  const code = systemCodeOf(error);
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new RegctlError(
    denied ? "permission-denied" : "operation-failed",
    `cannot write ${path}: ${messageOf(error)}`,
    {
      cause: error,
      hint: denied ? "run the same command with sudo" : "mend what it names, then run the same command again",
    },
  );
}

/** Text of a file; undefined = there is none, or it is not for us to read. */
export async function readHostFile(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Writes a file for everybody to read, whole or not at all; false when it held that text already. */
export async function writeHostFile(path: string, text: string): Promise<boolean> {
  if ((await readHostFile(path)) === text) return false;
  // Cron and systemd pass over names that begin with a dot.
  const staged = join(dirname(path), `.regctl-${randomUUID()}`);
  try {
    const handle = await open(staged, "wx", 0o644);
    try {
      await handle.writeFile(text);
      await handle.chmod(0o644);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staged, path);
    return true;
  } catch (error) {
    await rm(staged, { force: true });
    throw hostError(error, path);
  }
}

export async function removeHostFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw hostError(error, path);
  }
}
