/** A deployment as a command works on it: its folder, its checked configuration, the lock when it changes something. */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { appendFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Config, Origin } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { exists, readIfExists, replaceFile } from "../project/files.ts";
import { acquireLock } from "../project/lock.ts";
import { FILES } from "../project/paths.ts";
import { recoverTransactions } from "../project/transaction.ts";
import type { OperationPorts } from "./ports.ts";

export interface Deployment {
  /** Absolute. */
  readonly directory: string;
  readonly config: Config;
  /** Text of regctl.yaml the configuration was made from. */
  readonly text: string;
}

/** The folder's owner, who is also who the containers run as; an unprivileged uid of its own where that is root. */
export async function defaultUser(directory: string): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await stat(directory);
  if (uid !== 0) return { uid, gid };
  const { unprivilegedUid } = await import("../host/system-user.ts");
  const unprivileged = unprivilegedUid();
  return { uid: unprivileged, gid: unprivileged };
}

export async function readConfigText(directory: string): Promise<string> {
  const text = await readIfExists(join(directory, FILES.config));
  if (text === undefined)
    throw new RegctlError("no-deployment", `there is no ${FILES.config} in ${directory}`, {
      hint: `regctl init ${directory}`,
    });
  return text;
}

/** All issues of a regctl.yaml as one error. */
export async function parseConfigText(
  directory: string,
  text: string,
): Promise<{ config: Config; origins: ReadonlyMap<string, Origin> }> {
  const { parseConfig } = await import("../config/parse.ts");
  const result = parseConfig({ text, directory, defaultUser: await defaultUser(directory) });
  if (result.config !== undefined) return result;
  throw new RegctlError("config-invalid", `${join(directory, FILES.config)} is not valid`, {
    issues: result.issues,
    hint: "correct it, then run the same command again; nothing was changed",
  });
}

interface CachedConfig {
  readonly key: string;
  readonly config: Config;
}

/** Raised when `Config` gets a field: a package manager may give every version of the program the same time. */
const CONFIG_FORMAT = 2;

/** Changes with the text, the folder and the program that checks it. */
async function cacheKey(directory: string, text: string): Promise<string> {
  const [program, folder] = await Promise.all([stat(new URL(import.meta.url)), stat(directory)]);
  return createHash("sha256")
    .update(JSON.stringify([CONFIG_FORMAT, text, directory, program.mtimeMs, folder.uid, folder.gid]))
    .digest("hex");
}

/** The configuration of the last regctl.yaml that was valid, as far as it is known. */
export async function lastValidConfig(directory: string): Promise<Config | undefined> {
  const cached = await readIfExists(join(directory, FILES.configCache)).catch(() => undefined);
  try {
    return cached === undefined ? undefined : (JSON.parse(cached) as CachedConfig).config;
  } catch {
    return undefined;
  }
}

/**
 * Reads and checks regctl.yaml. The checked form of an unchanged text is taken from `.regctl`: the parser and the schema
 * of every key of distribution cost more time than most commands.
 */
export async function loadDeployment(directory: string): Promise<Deployment> {
  const text = await readConfigText(directory);
  const key = await cacheKey(directory, text);
  const cached = await readIfExists(join(directory, FILES.configCache)).catch(() => undefined);
  if (cached !== undefined) {
    try {
      const known = JSON.parse(cached) as CachedConfig;
      if (known.key === key) return { directory, text, config: known.config };
    } catch {
      // A cache that cannot be read is no cache.
    }
  }
  const { config } = await parseConfigText(directory, text);
  if (await exists(join(directory, FILES.state))) {
    const content = JSON.stringify({ key, config } satisfies CachedConfig);
    // Only a cache: a reader without the right to write goes on without it.
    await replaceFile(directory, { path: FILES.configCache, content, mode: 0o600 }).catch(() => undefined);
  }
  return { directory, text, config };
}

/** A uid without an entry in /etc/passwd has no name. */
function userName(ports: OperationPorts): string {
  try {
    return ports.environment.SUDO_USER ?? userInfo().username;
  } catch {
    return `uid ${ports.userId}`;
  }
}

async function audit(ports: OperationPorts, directory: string, command: string, outcome: string): Promise<void> {
  const line = `${ports.now().toISOString()} ${userName(ports)} ${command} ${outcome}\n`;
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  // A full disk must not turn a done deed into a failure.
  await appendFile(join(directory, FILES.audit), line, { mode: 0o600, flag }).catch(() => undefined);
}

/** What others may change leads root anywhere: by a link, or by a journal that names other files. */
async function requireTrustedFolder(ports: OperationPorts, directory: string): Promise<void> {
  if (!ports.isRoot) return;
  const folder = await stat(directory).catch(() => undefined);
  if (folder === undefined) return;
  if (folder.uid !== 0) {
    throw new RegctlError(
      "precondition-failed",
      `${directory} belongs to uid ${folder.uid}, and root does not follow what its owner puts there`,
      {
        hint: `run the command as its owner: sudo -u '#${folder.uid}' regctl … (or give the folder to root: chown root ${directory})`,
      },
    );
  }
  if ((folder.mode & 0o002) !== 0) {
    throw new RegctlError("precondition-failed", `everybody may write to ${directory}`, {
      hint: `chmod o-w ${directory}`,
    });
  }
}

/** A dry run looks without the lock and leaves no trace. */
export function withLockUnless<T>(
  isDryRun: boolean,
  ports: OperationPorts,
  directory: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  return isDryRun ? work() : withLock(ports, directory, command, work);
}

/** Writes the audit line of work that needs no lock of the folder; undefined = there is no deployment. */
export async function recordAudit<T>(
  ports: OperationPorts,
  directory: string | undefined,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  if (directory === undefined) return work();
  try {
    const result = await work();
    await audit(ports, directory, command, "ok");
    return result;
  } catch (error) {
    await audit(ports, directory, command, error instanceof RegctlError ? error.code : "internal");
    throw error;
  }
}

/** Runs work alone in the folder, after finishing what a killed command had committed; writes the audit line. */
export async function withLock<T>(
  ports: OperationPorts,
  directory: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  await requireTrustedFolder(ports, directory);
  return recordAudit(ports, directory, command, () => lockedWork(ports, directory, command, work));
}

async function lockedWork<T>(
  ports: OperationPorts,
  directory: string,
  command: string,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(directory, {
    command,
    waitMs: ports.timeoutMs,
    signal: ports.signal,
    now: ports.now,
    onWait: (holder) => ports.output.note(`waiting for ${holder}`),
  });
  try {
    const { finished } = await recoverTransactions(directory);
    if (finished > 0) ports.output.note("finished a change an earlier command was interrupted in");
    if (await exists(join(directory, FILES.collection)))
      await (await import("./quiesce.ts")).recoverCollection(ports, directory);
    return await work();
  } finally {
    await lock.release();
  }
}
