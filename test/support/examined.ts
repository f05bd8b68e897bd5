/** What `doctor`'s checks of a deployment say of one on the real engine, in this process. */
import { readFile } from "node:fs/promises";
import { createContext } from "../../src/context.ts";
import type { Examined } from "../../src/doctor/run-checks.ts";
import { examineDeployment } from "../../src/operations/examine-deployment.ts";
import { mustRun } from "./run-program.ts";
import { surroundingsFor } from "./surroundings.ts";

export interface ExamineOptions {
  readonly now?: Date;
  readonly environment?: NodeJS.ProcessEnv;
}

const OPTIONS = { json: false, quiet: true, verbose: false, debug: false, yes: true, input: false, color: false };

/** Every finding by its check's id; those of what this machine itself has are left out. */
export async function examined(directory: string, options: ExamineOptions = {}): Promise<Map<string, Examined>> {
  const { now, environment = {} } = options;
  const signal = new AbortController().signal;
  const context = createContext(
    { ...OPTIONS, timeout: 20 },
    surroundingsFor({
      environment: { HOME: "/nonexistent", ...environment },
      ...(now === undefined ? {} : { now: () => now }),
    }),
    signal,
  );
  try {
    const all = await examineDeployment(context, directory, { timeoutMs: 10_000, signal });
    const excused = await excusedFindings();
    return new Map(all.filter(({ id, verdict }) => verdict !== "ok" && !excused.has(id)).map((one) => [one.id, one]));
  } finally {
    await context.close();
  }
}

/** `{ container: "broken" }`: nothing else may have been found. */
export async function verdicts(directory: string, options: ExamineOptions = {}): Promise<Record<string, string>> {
  const found = await examined(directory, options);
  return Object.fromEntries([...found].map(([id, { verdict }]) => [id, verdict]));
}

/** One finding; fails when there is none. */
export async function finding(directory: string, id: string, options: ExamineOptions = {}): Promise<Examined> {
  const found = await examined(directory, options);
  const one = found.get(id);
  if (one === undefined) throw new Error(`${id} was silent; found: ${[...found.keys()].join(", ")}`);
  return one;
}

/** A machine whose uplink takes smaller packets than docker's bridges send has that fault for real. */
export async function excusedFindings(): Promise<ReadonlySet<string>> {
  const { stdout } = await mustRun("ip", ["-o", "route", "show", "default"]);
  const device = / dev (\S+)/.exec(stdout)?.[1];
  const mtu = device === undefined ? Number.NaN : Number(await readFile(`/sys/class/net/${device}/mtu`, "utf8"));
  return new Set(mtu < 1500 ? ["mtu"] : []);
}
