import { type ChildProcess, spawn } from "node:child_process";
import { access, constants, type FileHandle, open, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";
import { lastLines } from "../last-lines.ts";
import { type RunCommand, SYSTEM_PATH } from "./command.ts";

const SYSTEMD_DIRECTORY = "/run/systemd/system";
const LOG_FILE = "/var/log/dockerd.log";
const READY_WITHIN_MS = 60_000;
const POLL_MS = 100;
const LOG_LINES = 8;
/** The most of the log that is read back for an error. */
const LOG_TAIL_BYTES = 64 * 1024;

export interface EngineInstall {
  readonly dockerdPath: string;
}

export interface StartEngineOptions {
  readonly run: RunCommand;
  /** Whether the engine answers on its socket. */
  readonly isReady: (signal?: AbortSignal) => Promise<boolean>;
  /** Environment of an engine started without systemd: the proxy variables. PATH is set. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly dockerdPath?: string | undefined;
  readonly dockerdArguments?: readonly string[] | undefined;
  readonly logFile?: string | undefined;
  readonly systemdDirectory?: string | undefined;
  readonly readyWithinMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface StartedEngine {
  readonly startedBy: "systemd" | "regctl";
  /** False without systemd: after a reboot somebody has to start the engine again. */
  readonly survivesReboot: boolean;
  /** Of the engine regctl started itself. */
  readonly pid?: number;
}

/** The engine's program on this host, whichever package it came from; undefined = none. */
export async function findEngineInstall(path = SYSTEM_PATH): Promise<EngineInstall | undefined> {
  for (const directory of path.split(delimiter)) {
    const dockerdPath = join(directory, "dockerd");
    if (await isExecutable(dockerdPath)) return { dockerdPath };
  }
  return undefined;
}

/**
 * Starts the installed engine and waits until it answers: by systemd where that runs, else as a process of its own that
 * outlives regctl. The caller has seen that it does not answer yet.
 *
 * Rejects with RegctlError `engine-unreachable` (with the engine's last log lines), `permission-denied`, `interrupted`.
 * An engine that is still starting when the wait ends is left to go on.
 */
export async function startEngine(options: StartEngineOptions): Promise<StartedEngine> {
  const { run, signal, systemdDirectory = SYSTEMD_DIRECTORY } = options;
  if (!(await exists(systemdDirectory))) return startProcess(options);

  const { exitCode, stderr } = await run("systemctl", ["enable", "--now", "docker"], { signal });
  const journal = async () => {
    const result = await run("journalctl", ["-u", "docker", "-n", String(LOG_LINES), "--no-pager", "-o", "cat"], {
      signal,
    }).catch(() => undefined);
    return [...lastLines(stderr, 4), ...lastLines(result?.stdout ?? "", LOG_LINES)];
  };
  const hint = "see `journalctl -u docker`, mend what it names, then run `systemctl enable --now docker`";
  if (exitCode !== 0) throw startError(`systemctl ended with ${exitCode}`, await journal(), hint);
  await waitUntilReady(
    options,
    async (why) => startError(why, await journal(), hint),
    () => undefined,
  );
  return { startedBy: "systemd", survivesReboot: true };
}

async function startProcess(options: StartEngineOptions): Promise<StartedEngine> {
  const { logFile = LOG_FILE, dockerdPath = "dockerd", dockerdArguments = [] } = options;
  const log = await openLog(logFile);
  const { size: logStart } = await log.stat();
  let ended: string | undefined;
  let child: ChildProcess;
  try {
    child = spawn(dockerdPath, dockerdArguments, {
      env: { PATH: SYSTEM_PATH, ...options.env },
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.once("error", (error) => {
      ended = `it cannot be run: ${messageOf(error)}`;
    });
    child.once("exit", (code, signal) => {
      ended = `it ended at once with ${signal ?? code}`;
    });
  } finally {
    await log.close();
  }
  child.unref();
  const hint = `see ${logFile}, mend what it names, then run the same command again`;
  await waitUntilReady(
    options,
    async (why) => startError(why, lastLines(await readTail(logFile, logStart), LOG_LINES), hint),
    () => ended,
  );
  return { startedBy: "regctl", survivesReboot: false, ...(child.pid === undefined ? {} : { pid: child.pid }) };
}

async function waitUntilReady(
  options: StartEngineOptions,
  failure: (why: string) => Promise<RegctlError>,
  ended: () => string | undefined,
): Promise<void> {
  const { isReady, signal, readyWithinMs = READY_WITHIN_MS } = options;
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    if (signal?.aborted)
      throw new RegctlError("interrupted", "starting the Docker engine was interrupted; it may still come up");
    if (await isReady(signal)) return;
    const why = ended();
    if (why !== undefined) throw await failure(why);
    if (performance.now() > deadline)
      throw await failure(`it does not answer after ${Math.round(readyWithinMs / 1000)} s`);
    await sleep(POLL_MS);
  }
}

function startError(why: string, lines: readonly string[], hint: string): RegctlError {
  return new RegctlError("engine-unreachable", `cannot start the Docker engine: ${why}`, {
    issues: lines.map((message) => ({ path: "dockerd", message })),
    hint,
  });
}

/** Appends; created readable by root's group only, as the engine logs image names and mount paths. */
async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, "a", 0o640);
  } catch (cause) {
    const code = systemCodeOf(cause) === "EACCES" ? "permission-denied" : "operation-failed";
    throw new RegctlError(code, `cannot start the Docker engine: cannot write ${path}: ${messageOf(cause)}`, {
      cause,
      hint: "run the same command with sudo",
    });
  }
}

async function readTail(path: string, from: number): Promise<string> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  return bytes.subarray(Math.max(from, bytes.length - LOG_TAIL_BYTES)).toString("utf8");
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
