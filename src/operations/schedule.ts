/** Upkeep without anybody: a daily job of the host that renews what is due and, if asked, prunes and collects. */
import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, join } from "node:path";
import { RegctlError } from "../errors.ts";
import { SYSTEM_PATH } from "../host/command.ts";
import { type JobState, programProblem, type ScheduledJob, type ScheduleHost } from "../host/schedule.ts";
import { cronState, installCron, removeCron } from "../host/schedule-cron.ts";
import {
  installSystemd,
  isSystemdRunning,
  removeSystemd,
  systemdRecord,
  systemdState,
} from "../host/schedule-systemd.ts";
import { FILES } from "../project/paths.ts";
import { loadDeployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

export interface ScheduleOptions {
  /** Local time, `HH:MM`; undefined = some time in the night that differs from host to host. */
  readonly at: string | undefined;
  readonly prune: boolean;
  readonly gc: boolean;
  /** Absolute path regctl was started by. */
  readonly programPath: string;
}

const TASKS = {
  renew: ["certs", "renew", "--if-due"],
  prune: ["prune", "--apply", "--yes"],
  gc: ["gc"],
} as const;

/** How the job finds the same engine; none of them is a secret. */
const ENGINE_VARIABLES = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];

function hostOf(ports: OperationPorts): ScheduleHost {
  return { run: ports.run, isRoot: ports.isRoot, signal: ports.signal, root: "" };
}

/** Between 2 and 5 at night, the same for a folder of a host every time: many hosts do not ask one authority at once. */
function quietTime(directory: string): string {
  const number = createHash("sha256").update(`${hostname()}\0${directory}`).digest().readUInt16BE(0) % 180;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(2 + Math.floor(number / 60))}:${two(number % 60)}`;
}

/** A path to this Node that stays when another version is installed beside it. */
async function stableNode(): Promise<string> {
  const own = await realpath(process.execPath);
  for (const folder of SYSTEM_PATH.split(delimiter)) {
    const candidate = join(folder, "node");
    if ((await realpath(candidate).catch(() => undefined)) === own) return candidate;
  }
  return process.execPath;
}

/** Who owns the folder does the work in it; root does not work in a folder of somebody else's. */
async function jobUser(ports: OperationPorts, directory: string): Promise<string> {
  const uid = ports.isRoot ? (await stat(directory)).uid : ports.userId;
  const { exitCode, stdout } = await ports.run("id", ["-nu", String(uid)], { signal: ports.signal });
  if (exitCode === 0) return stdout.trim();
  throw new RegctlError("precondition-failed", `${directory} belongs to uid ${uid}, which has no login name`, {
    hint: `give the folder to somebody who has one: chown -R USER ${directory}`,
  });
}

function requirePlainPath(directory: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  if (!/[\u0000-\u001f\u007f]/.test(directory)) return;
  throw new RegctlError(
    "precondition-failed",
    "the deployment's path has a line end or another control character in it",
    {
      hint: "move the deployment to a path without",
    },
  );
}

async function identify(directory: string): Promise<Pick<ScheduledJob, "id" | "directory" | "logFile">> {
  const { config } = await loadDeployment(directory);
  return { id: `regctl-${config.name}`, directory, logFile: join(directory, FILES.scheduleLog) };
}

async function describeJob(ports: OperationPorts, directory: string, options: ScheduleOptions): Promise<ScheduledJob> {
  requirePlainPath(directory);
  const wanted = { renew: true, prune: options.prune, gc: options.gc };
  const tasks = (["renew", "prune", "gc"] as const).filter((task) => wanted[task]);
  const environment = ENGINE_VARIABLES.flatMap((name): [string, string][] => {
    const value = ports.environment[name];
    return value === undefined || value === "" ? [] : [[name, value]];
  });
  return {
    ...(await identify(directory)),
    tasks,
    program: [await stableNode(), options.programPath],
    runs: tasks.map((task) => ["--dir", directory, "--no-input", ...TASKS[task]]),
    environment: Object.fromEntries(environment),
    at: options.at ?? quietTime(directory),
    user: await jobUser(ports, directory),
  };
}

/** What is installed for the deployment, and whether it will run; undefined = nothing. */
export async function showSchedule(
  ports: OperationPorts,
  directory: string,
  host = hostOf(ports),
): Promise<JobState | undefined> {
  const job = await identify(directory);
  const unit = await systemdState(host, job.id);
  return unit?.directory === directory ? unit : cronState(host, job);
}

/** Installs the job, in place of one there was; `changed` is false when it was there already. */
export async function installSchedule(
  ports: OperationPorts,
  directory: string,
  options: ScheduleOptions,
  host = hostOf(ports),
): Promise<{ readonly changed: boolean; readonly state: JobState }> {
  const job = await describeJob(ports, directory, options);
  const gone = await programProblem(job);
  if (gone !== undefined) throw new RegctlError("precondition-failed", gone, { hint: "start regctl by its full path" });
  const other = (await systemdRecord(host, job.id))?.directory ?? directory;
  if (other !== directory) {
    throw new RegctlError("conflict", `${job.id}.timer is the schedule of the deployment in ${other}`, {
      hint: `regctl -C ${other} certs schedule remove, or give this deployment another name`,
    });
  }
  const bySystemd = ports.isRoot && (await isSystemdRunning(host));
  const changed = bySystemd ? await installSystemd(host, job) : await installCron(host, job);
  // A host may have got, or lost, systemd since.
  const obsolete = bySystemd ? await removeCron(host, job) : await removeSystemd(host, job.id);
  const state = await showSchedule(ports, directory, host);
  if (state === undefined) throw new Error("the schedule that was just installed is not there");
  return { changed: changed || obsolete.length > 0, state };
}

/** Removes the job and its log; the files it was in, none when there was no job. */
export async function removeSchedule(
  ports: OperationPorts,
  directory: string,
  host = hostOf(ports),
): Promise<string[]> {
  const job = await identify(directory);
  const unit = await systemdRecord(host, job.id);
  const units = unit?.directory === directory ? await removeSystemd(host, job.id) : [];
  return [...units, ...(await removeCron(host, job))];
}
