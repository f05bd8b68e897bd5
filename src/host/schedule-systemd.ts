/** A daily job as a systemd timer and service: systemd.timer(5), systemd.service(5), systemd.syntax(7). */
import { join } from "node:path";
import { RegctlError } from "../errors.ts";
import {
  isThere,
  type JobRecord,
  type JobState,
  type LastRun,
  parseRecord,
  programProblem,
  recordLine,
  type ScheduledJob,
  type ScheduleHost,
  shellLine,
} from "./schedule.ts";
import { readHostFile, removeHostFile, writeHostFile } from "./schedule-files.ts";

const UNITS = "/etc/systemd/system";
/** Where a timer with Persistent=true remembers its last run. */
const STAMPS = "/var/lib/systemd/timers";

/** One quoted word of a unit file: besides quotes and backslashes, `%` begins a specifier and `$` a variable. */
export function unitQuote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$");
  return `"${escaped}"`;
}

export function renderService(job: ScheduledJob): string {
  return [
    recordLine(job),
    "[Unit]",
    `Description=${job.id}: upkeep of a container registry (${job.tasks.join(", ")})`,
    "Wants=network-online.target",
    "After=network-online.target docker.service",
    "",
    "[Service]",
    "Type=oneshot",
    `User=${job.user}`,
    `ExecStart=/bin/sh -c ${unitQuote(shellLine(job))}`,
    "",
  ].join("\n");
}

export function renderTimer(job: ScheduledJob): string {
  return [
    recordLine(job),
    "[Unit]",
    `Description=${job.id}: every day`,
    "",
    "[Timer]",
    `OnCalendar=*-*-* ${job.at}:00`,
    "RandomizedDelaySec=15min",
    "Persistent=true",
    "",
    "[Install]",
    "WantedBy=timers.target",
    "",
  ].join("\n");
}

function unitFiles(host: ScheduleHost, id: string): { service: string; timer: string } {
  return { service: join(host.root, UNITS, `${id}.service`), timer: join(host.root, UNITS, `${id}.timer`) };
}

/** Whether systemd runs this host, sd_booted(3). */
export function isSystemdRunning(host: ScheduleHost): Promise<boolean> {
  return isThere(join(host.root, "/run/systemd/system"));
}

async function systemctl(host: ScheduleHost, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.run("systemctl", args, { signal: host.signal });
  if (exitCode === 0) return stdout;
  throw new RegctlError("operation-failed", `systemctl ${args.join(" ")} ended with ${exitCode}: ${stderr.trim()}`, {
    hint: "mend what it names, then run the same command again",
  });
}

/** Who a job of that name is for; undefined = there is none. */
export async function systemdRecord(host: ScheduleHost, id: string): Promise<JobRecord | undefined> {
  const { service, timer } = unitFiles(host, id);
  for (const file of [timer, service]) {
    const record = parseRecord((await readHostFile(file))?.split("\n")[0] ?? "");
    if (record !== undefined) return record;
  }
  return undefined;
}

/** Writes and starts the timer; false when all was there already. */
export async function installSystemd(host: ScheduleHost, job: ScheduledJob): Promise<boolean> {
  const { service, timer } = unitFiles(host, job.id);
  const written = [await writeHostFile(service, renderService(job)), await writeHostFile(timer, renderTimer(job))];
  const unit = `${job.id}.timer`;
  const changed = written.includes(true);
  if (changed) await systemctl(host, "daemon-reload");
  await systemctl(host, "enable", "--now", unit);
  if (changed) await systemctl(host, "restart", unit);
  return changed;
}

/** Stops and removes the timer; the files that were there. */
export async function removeSystemd(host: ScheduleHost, id: string): Promise<string[]> {
  const { service, timer } = unitFiles(host, id);
  const files = [];
  for (const file of [timer, service]) if (await isThere(file)) files.push(file);
  if (files.length === 0) return [];
  const isRunning = await isSystemdRunning(host);
  if (isRunning) await host.run("systemctl", ["disable", "--now", `${id}.timer`], { signal: host.signal });
  for (const file of files) await removeHostFile(file);
  await removeHostFile(join(host.root, STAMPS, `stamp-${id}.timer`));
  await removeHostFile(join(host.root, UNITS, "timers.target.wants", `${id}.timer`));
  if (isRunning) {
    await systemctl(host, "daemon-reload");
    // A failed last run would stay listed.
    await host.run("systemctl", ["reset-failed", `${id}.service`, `${id}.timer`], { signal: host.signal });
  }
  return files;
}

/** `@1764385020` with --timestamp=unix; older systemd writes it for people. Nothing there reads `n/a` or is empty. */
export function parseSystemdTime(text: string | undefined): string | undefined {
  const [, seconds] = /^@(\d+)/.exec(text ?? "") ?? [];
  const time = seconds === undefined ? Date.parse(text ?? "") : Number(seconds) * 1000;
  return Number.isNaN(time) || time <= 0 ? undefined : new Date(time).toISOString();
}

async function properties(host: ScheduleHost, unit: string, names: readonly string[]): Promise<Map<string, string>> {
  const args = ["show", unit, "--timestamp=unix", `--property=${names.join(",")}`];
  const { stdout } = await host.run("systemctl", args, { signal: host.signal });
  return new Map(
    stdout.split("\n").map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

export async function systemdState(host: ScheduleHost, id: string): Promise<JobState | undefined> {
  const record = await systemdRecord(host, id);
  if (record === undefined) return undefined;
  const { service, timer } = unitFiles(host, id);
  const known = { ...record, by: "systemd", files: [service, timer] } as const;
  if (!(await isSystemdRunning(host)))
    return { ...known, stopped: "systemd does not run on this host", next: undefined, lastRun: undefined };
  const [timing, result] = await Promise.all([
    properties(host, `${id}.timer`, ["ActiveState", "NextElapseUSecRealtime"]),
    properties(host, `${id}.service`, ["ExecMainStatus", "ExecMainExitTimestamp"]),
  ]);
  const ended = parseSystemdTime(result.get("ExecMainExitTimestamp"));
  const lastRun: LastRun | undefined =
    ended === undefined ? undefined : { at: ended, exitCode: Number(result.get("ExecMainStatus")) };
  const inactive =
    timing.get("ActiveState") === "active" ? undefined : `the timer is ${timing.get("ActiveState") ?? "not loaded"}`;
  const stopped = (await programProblem(record)) ?? inactive;
  return { ...known, stopped, next: parseSystemdTime(timing.get("NextElapseUSecRealtime")), lastRun };
}
