/**
 * One regctl at a time in a deployment folder. The kernel holds the lock (flock(2) on `.regctl/lock`, taken by flock(1)
 * through an inherited descriptor), so a killed holder leaves nothing behind that has to be judged stale.
 */
import { spawn } from "node:child_process";
import { constants, type FileHandle, mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { fileError } from "./files.ts";
import { FILES } from "./paths.ts";

export interface LockOptions {
  /** What the holder is told to be doing: `up`. */
  readonly command: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** Told once when somebody else holds it. */
  readonly onWait: (holder: string) => void;
}

export interface Lock {
  release(): Promise<void>;
}

function flock(handle: FileHandle, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", [...args, "-x", "3"], { stdio: ["ignore", "ignore", "ignore", handle.fd], signal });
    child.on("error", (error) => {
      if (signal.aborted) reject(signal.reason);
      else if (systemCodeOf(error) === "ENOENT") {
        reject(new RegctlError("precondition-failed", "the flock command is missing", { hint: "install util-linux" }));
      } else reject(error);
    });
    child.on("close", (code) => resolve(code === 0));
  });
}

async function holderOf(handle: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(200);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return buffer.toString("utf8", 0, bytesRead).trim() || "another regctl";
}

/** Whether somebody holds the lock of a deployment's folder at this moment (proc(5), /proc/locks); changes nothing. */
export async function isLocked(directory: string): Promise<boolean> {
  const file = await stat(join(directory, FILES.lock)).catch(() => undefined);
  if (file === undefined) return false;
  const table = await readFile("/proc/locks", "utf8").catch(() => "");
  return table.split("\n").some((line) => {
    const [, kind, , , , place = ""] = line.split(/\s+/);
    return kind === "FLOCK" && place.endsWith(`:${file.ino}`);
  });
}

async function sameFile(handle: FileHandle, path: string): Promise<boolean> {
  const current = await stat(path).catch(() => undefined);
  return current !== undefined && current.ino === (await handle.stat()).ino;
}

/** The deployment's folder and its `.regctl` are for their owner alone; folders above them are made as usual. */
async function makeFolders(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  for (const folder of [directory, join(directory, FILES.state)]) {
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    });
  }
}

/** The lock of a deployment's folder, which is made when it is missing. */
export function acquireLock(directory: string, options: LockOptions): Promise<Lock> {
  return acquireLockFile(join(directory, FILES.lock), directory, options, () => makeFolders(directory));
}

/**
 * Waits up to `waitMs`; `locked` with who holds it after that. `what` is what the lock is of; `makeParent` makes the folder
 * the file is in.
 */
export async function acquireLockFile(
  path: string,
  what: string,
  options: LockOptions,
  makeParent: () => Promise<void>,
): Promise<Lock> {
  for (;;) {
    let handle: FileHandle;
    try {
      await makeParent();
      handle = await open(
        path,
        constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW,
        0o600,
      );
    } catch (error) {
      throw fileError(error, `lock ${what}`);
    }
    try {
      if (!(await flock(handle, ["-n"], options.signal))) {
        const holder = await holderOf(handle);
        options.onWait(holder);
        if (!(await flock(handle, ["-w", String(options.waitMs / 1000)], options.signal))) {
          throw new RegctlError("locked", `${what} is in use by ${await holderOf(handle)}`, {
            hint: "wait for it to end, then run the command again; --timeout SECONDS waits longer",
          });
        }
      }
      // `destroy` may have removed the file while we waited for it.
      if (!(await sameFile(handle, path))) {
        await handle.close();
        continue;
      }
      await handle.truncate(0);
      const holder = `regctl ${options.command} (pid ${process.pid}, since ${options.now().toISOString()})\n`;
      // Only for those who wait: on a full disk `destroy` has to get the lock all the same.
      await handle.write(holder).catch(() => undefined);
      return {
        release: async () => {
          await handle.truncate(0);
          await handle.close();
        },
      };
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }
}
