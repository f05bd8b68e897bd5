/** kill -9 after every single step of every command that changes something: the next command ends where an undisturbed one would. */
import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Credentials } from "../support/clients.ts";
import { startRegctl } from "../support/e2e-background.ts";
import { adoptCertificates, answer, deployed, edit, place, quickFlags, registryImage } from "../support/e2e-deployment.ts";
import { type DeploymentState, stateOf } from "../support/e2e-state.ts";
import { killAt, type Step, stepsOf } from "../support/kill-at.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A command, and what surrounds its kills. */
interface Killed {
  readonly args: readonly string[];
  readonly input?: string;
  /** Makes a place in which the command has its work to do. */
  readonly make: () => Promise<Scenario>;
  /** Brings the place back to where the command has its work to do, after the first run. */
  readonly again: (place: Scenario) => Promise<void>;
  /** What has to hold besides the equal state. */
  readonly check?: (place: Scenario) => Promise<void>;
  /** The command after the kill, when it is another one; the state then is compared with its own. */
  readonly next?: readonly string[];
  readonly only?: (step: Step) => boolean;
}

const LANES = 3;

/** Each lane has a deployment of its own and takes the next step to kill at; resolves to the steps that were killed after. */
async function killAtEveryStep(killed: Killed): Promise<void> {
  const options = (one: Scenario) => ({ cwd: one.directory, ...(killed.input === undefined ? {} : { input: killed.input }) });
  let queue: number[] | undefined;
  const failures: string[] = [];
  const lane = async (): Promise<void> => {
    await using one = await killed.make();
    const args = killed.args.map((arg) => arg.replaceAll("{name}", one.name).replaceAll("{dir}", one.directory).replaceAll("{port}", String(one.port)));
    const undisturbed = await stepsOf(args, options(one));
    expect(undisturbed.result).toMatchObject({ exitCode: 0 });
    const wanted = await stateOf(one);
    await killed.check?.(one);
    queue ??= undisturbed.steps.filter(killed.only ?? (() => true)).map(({ number }) => number);
    for (let n = queue.shift(); n !== undefined; n = queue.shift()) {
      await killed.again(one);
      const { result, steps } = await killAt(n, args, options(one));
      const what = `killed after step ${n} (${steps.at(-1)?.kind} ${steps.at(-1)?.what})`;
      try {
        await expectSame(one, wanted, killed, args, result.signal);
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
        await runProgram("sh", ["-c", `rm -rf ${one.directory}`]);
        break;
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(failures).toEqual([]);
}

async function expectSame(one: Scenario, wanted: DeploymentState, killed: Killed, args: readonly string[], signal: string | undefined): Promise<void> {
  const next = await one.regctl(killed.next ?? args, { cwd: one.directory, ...(killed.input === undefined ? {} : { input: killed.input }) });
  expect({ ...next, signal }).toMatchObject({ exitCode: 0 });
  expect(await stateOf(one)).toEqual(wanted);
  await killed.check?.(one);
}
