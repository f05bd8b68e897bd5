import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./addresses.ts";
import { type RegctlOptions, regctl } from "./regctl.ts";
import { mustRun, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface Scenario extends AsyncDisposable {
  /** A deployment name nothing else on this engine has: `rt-1f0c9a`. */
  readonly name: string;
  /** An empty folder for the deployment, where every command runs. */
  readonly directory: string;
  /** A port that was free. */
  readonly port: number;
  regctl(args: readonly string[], options?: RegctlOptions): Promise<ProgramResult>;
  /** `regctl` that has to end with 0. */
  must(args: readonly string[], options?: RegctlOptions): Promise<ProgramResult>;
  /** What the engine has of this deployment now (`docker inspect` of each container, running or not). */
  containers(): Promise<readonly EngineContainer[]>;
}

/** The part of `docker inspect` that tests look at. */
export interface EngineContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } };
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Env: readonly string[] };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

/**
 * A place for one deployment on the real engine. Its containers and networks, made by regctl or by compose, and its folder
 * go when it is disposed; with REGCTL_E2E_KEEP=1 they stay, and where they are is printed.
 */
export async function scenario(): Promise<Scenario> {
  const name = `rt-${randomBytes(3).toString("hex")}`;
  const parent = temporaryDirectory("regctl-test-scenario-");
  const directory = join(parent.path, name);
  await mkdir(directory);
  const port = await freePort();
  const inDirectory = (args: readonly string[], options: RegctlOptions = {}): Promise<ProgramResult> =>
    regctl(args, { cwd: directory, ...options });
  return {
    name,
    directory,
    port,
    regctl: inDirectory,
    async must(args, options) {
      const result = await inDirectory(args, options);
      if (result.exitCode === 0) return result;
      throw new Error(
        `regctl ${args.join(" ")} ended with exit code ${result.exitCode}\n${result.stdout}\n${result.stderr}`,
      );
    },
    async containers() {
      const ids = await containerIds(directory);
      if (ids.length === 0) return [];
      return JSON.parse((await mustRun("docker", ["inspect", ...ids])).stdout) as EngineContainer[];
    },
    async [Symbol.asyncDispose]() {
      if (process.env.REGCTL_E2E_KEEP === "1") {
        console.error(`kept deployment ${name} in ${directory}`);
        return;
      }
      await removeDeployment(name, directory);
      await parent[Symbol.asyncDispose]();
    },
  };
}

/** Both regctl and compose label a container with the folder it was made from. */
async function containerIds(directory: string): Promise<string[]> {
  const filter = `label=com.docker.compose.project.working_dir=${directory}`;
  const { stdout } = await mustRun("docker", ["ps", "--all", "--quiet", "--no-trunc", "--filter", filter]);
  return stdout.split("\n").filter(Boolean);
}

async function removeDeployment(name: string, directory: string): Promise<void> {
  const containers = await containerIds(directory);
  if (containers.length > 0) await runProgram("docker", ["rm", "--force", "--volumes", ...containers]);
  const filter = `label=com.docker.compose.project=${name}`;
  const networks = (await mustRun("docker", ["network", "ls", "--quiet", "--filter", filter])).stdout.split("\n");
  for (const network of networks.filter(Boolean)) await runProgram("docker", ["network", "rm", network]);
}
