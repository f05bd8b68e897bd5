import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RegctlOptions, regctl } from "./regctl.ts";
import type { ProgramResult } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const PRELOAD = fileURLToPath(new URL("kill-at.mjs", import.meta.url));

/** A command has up to a hundred steps: killed after each of them where there is time, in CI, else after every third. */
export const KILL_EVERY = Number(process.env.REGCTL_TEST_KILL_EVERY ?? (process.env.CI === "true" ? "1" : "3"));
/** With an engine each kill takes seconds. */
export const KILL_EVERY_WITH_ENGINE = 2 * KILL_EVERY;

/** Every so many of the steps, one at least; the first of them moves on day by day, so that in time each is taken. */
export function sampled(steps: readonly Step[], every: number): Step[] {
  const first = Math.floor(Date.now() / 86_400_000) % Math.min(every, steps.length);
  return steps.filter((_, place) => place % every === first);
}

/** One change a process made to the world outside it. */
export interface Step {
  /** 1, 2, … in the order they happened. */
  readonly number: number;
  /** `rename`, `open`, `write`, `mkdir`, …; `engine` = a changing request it answered; `child` = a program that ended. */
  readonly kind: string;
  /** Paths, or method, path and status of the request, or the program with its exit code. */
  readonly what: string;
}

export interface SteppedRun {
  readonly result: ProgramResult;
  readonly steps: readonly Step[];
}

/** How the program is run; `regctl` unless a test brings its own. */
export type Runner = (args: readonly string[], options: RegctlOptions) => Promise<ProgramResult>;

/** Runs regctl undisturbed and tells what it did. */
export async function stepsOf(
  args: readonly string[],
  options: RegctlOptions = {},
  runner: Runner = regctl,
): Promise<SteppedRun> {
  return steppedRun(0, args, options, runner);
}

/**
 * Runs regctl and kills it (SIGKILL) right after its `n`-th step (1 = the first); the last of `steps` is that one. A run
 * with fewer steps ends undisturbed: `result.signal` tells which it was. Steps that run at the same time may change places.
 */
export async function killAt(
  n: number,
  args: readonly string[],
  options: RegctlOptions = {},
  runner: Runner = regctl,
): Promise<SteppedRun> {
  if (!Number.isInteger(n) || n < 1) throw new Error(`steps are numbered from 1, not ${n}`);
  return steppedRun(n, args, options, runner);
}

async function steppedRun(
  n: number,
  args: readonly string[],
  options: RegctlOptions,
  runner: Runner,
): Promise<SteppedRun> {
  await using directory = temporaryDirectory("regctl-test-steps-");
  const file = join(directory.path, "steps");
  const result = await runner(args, {
    ...options,
    nodeArgs: ["--import", PRELOAD, ...(options.nodeArgs ?? [])],
    env: { ...options.env, REGCTL_TEST_KILL_AT: String(n), REGCTL_TEST_STEPS: file },
  });
  const lines = (await readFile(file, "utf8")).split("\n").filter(Boolean);
  return { result, steps: lines.map((line) => JSON.parse(line) as Step) };
}

/**
 * The steps worth a kill each: of a run of many steps of one kind (a tree removed file by file) only the first, the middle
 * and the last.
 */
export function worthKilling(steps: readonly Step[]): Step[] {
  const runs: Step[][] = [];
  for (const step of steps) {
    const run = runs.at(-1);
    if (run?.[0]?.kind === step.kind) run.push(step);
    else runs.push([step]);
  }
  return runs.flatMap((run) =>
    run.length > 8 ? [0, run.length >> 1, run.length - 1].map((at) => run[at] as Step) : run,
  );
}
