import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { recordOutput } from "./recorded-outputs.ts";
import { REPOSITORY, type RegctlOptions } from "./regctl.ts";
import { mustRun, type ProgramResult, runProgram } from "./run-program.ts";

const UID = 65534;

export interface Nobody extends AsyncDisposable {
  /** A folder of the user's own. */
  readonly home: string;
  regctl(args: readonly string[], options?: RegctlOptions): Promise<ProgramResult>;
}

/** regctl run by a user without any right, who reaches the program wherever root keeps it: through a mount below /tmp. */
export async function asNobody(): Promise<Nobody> {
  const base = await mkdtemp("/tmp/regctl-test-nobody-");
  const program = join(base, "program");
  const home = join(base, "home");
  await chmod(base, 0o755);
  await mkdir(program);
  await mkdir(home);
  await chown(home, UID, UID);
  await mustRun("mount", ["--bind", REPOSITORY, program]);
  const identity = [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", "--no-new-privs"];
  return {
    home,
    async regctl(args, options = {}) {
      const argv = [...identity, process.execPath, join(program, "bin/regctl"), ...args];
      const result = await runProgram("setpriv", argv, {
        cwd: home,
        timeoutMs: 120_000,
        ...options,
        env: { HOME: home, ...options.env },
      });
      recordOutput({ args, exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr });
      return result;
    },
    async [Symbol.asyncDispose]() {
      await mustRun("umount", [program]);
      await rm(base, { recursive: true, force: true });
    },
  };
}
