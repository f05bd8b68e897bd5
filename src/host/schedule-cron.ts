/** A daily job for cron: a file in /etc/cron.d, or lines in a user's crontab; crontab(5). */
import { readdir, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RegctlError } from "../errors.ts";
import { SYSTEM_PATH } from "./command.ts";
import {
  isThere,
  type JobState,
  type LastRun,
  parseRecord,
  programProblem,
  recordLine,
  type ScheduledJob,
  type ScheduleHost,
  shellLine,
  shellQuote,
} from "./schedule.ts";
import { readHostFile, removeHostFile, writeHostFile } from "./schedule-files.ts";

const FOLDER = "/etc/cron.d";
const END = "# regctl schedule end";
/** Debian's cron cuts a command at 999 characters (MAX_COMMAND) and says nothing. */
const LONGEST_COMMAND = 990;
const ENDED = /^(\S+) regctl schedule ended with (\d+)$/;
const DAEMONS = new Set(["cron", "crond", "fcron", "cronie", "busybox-crond"]);

/**
 * The command as a line of a crontab; its output and how it ended go to the log file. Cron ends a command at a bare `%` and
 * reads `\%` as `%` and two backslashes as one (do_command.c); nothing but a hostile path has either.
 */
export function cronCommand(job: ScheduledJob): string {
  const ended = 'echo "$(date -u -Iseconds) regctl schedule ended with $r"';
  const work = `( ${shellLine(job)} ); r=$?; ${ended}; exit $r`;
  const line = `umask 077; exec >>${shellQuote(job.logFile)} 2>&1; PATH=${SYSTEM_PATH}; export PATH; ${work}`;
  return line.replace(/[\\%]/g, "\\$&");
}

function timeFields(at: string): string {
  const [hour, minute] = at.split(":").map(Number);
  return `${minute} ${hour} * * *`;
}

function requireShort(command: string): string {
  if (Buffer.byteLength(command) <= LONGEST_COMMAND) return command;
  throw new RegctlError("precondition-failed", "the command is longer than cron accepts (999 characters)", {
    hint: "move the deployment, or regctl, to a shorter path",
  });
}

/** Text of a file in /etc/cron.d. */
export function renderCronFile(job: ScheduledJob): string {
  return [
    recordLine(job),
    "SHELL=/bin/sh",
    'MAILTO=""',
    `${timeFields(job.at)} ${job.user} ${requireShort(cronCommand(job))}`,
    "",
  ].join("\n");
}

/** A crontab with the job's lines put in, or in place of those it had. */
export function withJob(crontab: string, job: ScheduledJob): string {
  const rest = withoutJob(crontab, job.directory);
  const separator = rest === "" || rest.endsWith("\n") ? "" : "\n";
  const lines = [recordLine(job), `${timeFields(job.at)} ${requireShort(cronCommand(job))}`, END];
  return `${rest}${separator}${lines.join("\n")}\n`;
}

/** A crontab without the lines of the deployment in that folder. */
export function withoutJob(crontab: string, directory: string): string {
  const kept: string[] = [];
  let isOurs = false;
  for (const line of crontab.split("\n")) {
    isOurs ||= parseRecord(line)?.directory === directory;
    if (!isOurs) kept.push(line);
    if (line === END) isOurs = false;
  }
  return kept.join("\n");
}

function cronFile(host: ScheduleHost, id: string): string {
  return join(host.root, FOLDER, id);
}

async function crontab(host: ScheduleHost, args: readonly string[], input?: string): Promise<string | undefined> {
  try {
    const result = await host.run("crontab", args, { signal: host.signal, input });
    if (result.exitCode === 0) return result.stdout;
    // `crontab -l` of somebody who has none.
    if (input === undefined) return "";
    throw new RegctlError("operation-failed", `crontab ended with ${result.exitCode}: ${result.stderr.trim()}`, {
      hint: "mend what it names, then run the same command again",
    });
  } catch (error) {
    if (error instanceof RegctlError && error.code === "not-found") return undefined;
    throw error;
  }
}

async function hasFolder(host: ScheduleHost): Promise<boolean> {
  return host.isRoot && (await isThere(join(host.root, FOLDER)));
}

async function modifiedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}

/**
 * Makes a change that a running cron will see. It compares times by the second (database.c) and passes over what has the
 * time it remembers, so each of the paths ends with a later second than it had, and than the present one.
 */
async function changeSeen<T>(paths: readonly string[], change: () => Promise<T>): Promise<T> {
  const before = await Promise.all(paths.map(modifiedAt));
  const result = await change();
  const next = Math.floor(Math.max(Date.now(), ...before) / 1000) + 1;
  for (const path of paths) await utimes(path, next, next);
  return result;
}

/** Installs the job; false when it was there already. Throws `precondition-failed` on a host without cron. */
export async function installCron(host: ScheduleHost, job: ScheduledJob): Promise<boolean> {
  if (await hasFolder(host)) {
    const file = cronFile(host, job.id);
    const other = parseRecord((await readHostFile(file))?.split("\n")[0] ?? "");
    if (other !== undefined && other.directory !== job.directory) {
      throw new RegctlError("conflict", `${file} is the schedule of the deployment in ${other.directory}`, {
        hint: `regctl -C ${shellQuote(other.directory)} certs schedule remove, or give this deployment another name`,
      });
    }
    const text = renderCronFile(job);
    if ((await readHostFile(file)) === text) return false;
    return changeSeen([file, dirname(file)], () => writeHostFile(file, text));
  }
  const before = await crontab(host, ["-l"]);
  if (before === undefined) {
    throw new RegctlError("precondition-failed", "this host has neither systemd nor cron to run it", {
      hint: "install cron (`apt-get install cron`), then run the same command again",
    });
  }
  const after = withJob(before, job);
  if (after === before) return false;
  await crontab(host, ["-"], after);
  return true;
}

/** Removes the job; the files it was in. */
export async function removeCron(
  host: ScheduleHost,
  job: Pick<ScheduledJob, "id" | "directory" | "logFile">,
): Promise<string[]> {
  const state = await cronState(host, job);
  if (state === undefined) return [];
  for (const file of state.files) {
    if (file !== "crontab") {
      await changeSeen([dirname(file)], () => removeHostFile(file));
    } else {
      const rest = withoutJob((await crontab(host, ["-l"])) ?? "", job.directory);
      await (rest.trim() === "" ? crontab(host, ["-r"], "") : crontab(host, ["-"], rest));
    }
  }
  await removeHostFile(job.logFile);
  return [...state.files];
}

/** Whether a daemon runs that reads crontabs. */
async function isCronRunning(host: ScheduleHost): Promise<boolean> {
  const proc = join(host.root, "/proc");
  for (const entry of await readdir(proc).catch(() => [] as string[])) {
    if (!/^\d+$/.test(entry)) continue;
    const name = (await readHostFile(join(proc, entry, "comm")))?.trim() ?? "";
    if (DAEMONS.has(name)) return true;
  }
  return false;
}

async function lastRun(logFile: string): Promise<LastRun | undefined> {
  const lines = ((await readHostFile(logFile)) ?? "").trimEnd().split("\n").reverse();
  for (const line of lines) {
    const [, at, code] = ENDED.exec(line) ?? [];
    if (at !== undefined) return { at, exitCode: Number(code) };
  }
  return undefined;
}

export async function cronState(
  host: ScheduleHost,
  { id, directory, logFile }: Pick<ScheduledJob, "id" | "directory" | "logFile">,
): Promise<JobState | undefined> {
  const file = cronFile(host, id);
  const ofFile = parseRecord((await readHostFile(file))?.split("\n")[0] ?? "");
  const inFile = ofFile?.directory === directory ? ofFile : undefined;
  const own = inFile === undefined ? ((await crontab(host, ["-l"])) ?? "").split("\n") : [];
  const inCrontab = own.map(parseRecord).find((one) => one?.directory === directory);
  const record = inFile ?? inCrontab;
  if (record === undefined) return undefined;
  const daemon = (await isCronRunning(host)) ? undefined : "no cron daemon runs on this host";
  return {
    ...record,
    by: "cron",
    files: [inFile === undefined ? "crontab" : file],
    stopped: (await programProblem(record)) ?? daemon,
    next: undefined,
    lastRun: await lastRun(logFile),
  };
}
