import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { recordOutput } from "./recorded-outputs.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
export const REGCTL = fileURLToPath(new URL("../../bin/regctl", import.meta.url));

export interface RegctlOptions extends ProgramOptions {
  /** Arguments for Node itself: `["--import", file]`. */
  readonly nodeArgs?: readonly string[] | undefined;
}

/**
 * Runs the built program as a child with nothing of the caller's environment but PATH, and HOME an empty folder of its
 * own (so that no docker context, credential or configuration of this machine has a say). What it wrote is recorded.
 */
export async function regctl(args: readonly string[], options: RegctlOptions = {}): Promise<ProgramResult> {
  if (!existsSync(REGCTL)) throw new Error(`${REGCTL} is missing`);
  await using home = temporaryDirectory("regctl-test-home-");
  const { nodeArgs = [], ...rest } = options;
  const result = await runProgram(process.execPath, [...nodeArgs, REGCTL, ...args], {
    timeoutMs: 120_000,
    ...rest,
    env: { HOME: home.path, ...options.env },
  });
  recordOutput({ args, exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr });
  return result;
}
