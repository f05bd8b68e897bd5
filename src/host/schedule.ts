/** A job the host runs once a day: what it is, whatever program of the host keeps the time. */
import { access } from "node:fs/promises";
import type { RunCommand } from "./command.ts";

export interface ScheduledJob {
  /** Name of units and files: letters, digits, `-` and `_`. */
  readonly id: string;
  /** Absolute; no control characters. */
  readonly directory: string;
  /** What messages and `show` call its parts: `renew`, `prune`, `gc`. */
  readonly tasks: readonly string[];
  /** Absolute path of the interpreter, then of the program. */
  readonly program: readonly string[];
  /** Arguments of the program, one list a run; a failed run does not keep the next from running. */
  readonly runs: readonly (readonly string[])[];
  readonly environment: Readonly<Record<string, string>>;
  /** Local time, `HH:MM`. */
  readonly at: string;
  /** Login name it runs as. */
  readonly user: string;
  /** Absolute; used where the host keeps no log of its jobs. */
  readonly logFile: string;
}

/** What is known of an installed job without asking who runs it. */
export type JobRecord = Pick<ScheduledJob, "directory" | "tasks" | "program" | "at">;

export interface LastRun {
  readonly at: string;
  readonly exitCode: number;
}

export interface JobState extends JobRecord {
  readonly by: "systemd" | "cron";
  readonly files: readonly string[];
  /** Why it will not run, or undefined. */
  readonly stopped: string | undefined;
  /** RFC 3339; undefined when whoever runs it does not say. */
  readonly next: string | undefined;
  readonly lastRun: LastRun | undefined;
}

/** Where the host keeps its jobs. */
export interface ScheduleHost {
  readonly run: RunCommand;
  readonly isRoot: boolean;
  readonly signal: AbortSignal;
  /** Prefix of every absolute path of the host; "" but in tests. */
  readonly root: string;
}

const MARK = "# regctl schedule ";

/** The line an installed file begins with: who it is for, for people and for `show`. */
export function recordLine({ directory, tasks, program, at }: JobRecord): string {
  return MARK + JSON.stringify({ directory, at, tasks, program });
}

/** Reads what `recordLine` wrote; undefined for any other line. */
export function parseRecord(line: string): JobRecord | undefined {
  if (!line.startsWith(`${MARK}{`)) return undefined;
  try {
    const value = JSON.parse(line.slice(MARK.length)) as Partial<JobRecord>;
    const { directory, at, tasks, program } = value;
    if (typeof directory !== "string" || typeof at !== "string" || !Array.isArray(tasks) || !Array.isArray(program))
      return undefined;
    return { directory, at, tasks, program };
  } catch {
    return undefined;
  }
}

/** One word for sh, whatever is in it; without backslashes, which cron and systemd read as well. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** The job as one line for sh: every run is tried, and the last failure is its exit code. */
export function shellLine({ program, runs, environment }: ScheduledJob): string {
  const settings = Object.entries(environment).map(([name, value]) => `export ${name}=${shellQuote(value)}; `);
  const lines = runs.map((args) => `${[...program, ...args].map(shellQuote).join(" ")} || r=$?; `);
  return `${settings.join("")}r=0; ${lines.join("")}exit $r`;
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Why the installed program cannot run any more, or undefined. */
export async function programProblem({ program }: Pick<ScheduledJob, "program">): Promise<string | undefined> {
  for (const path of program) if (!(await isThere(path))) return `${path} is gone`;
  return undefined;
}
