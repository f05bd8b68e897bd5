import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./addresses.ts";
import type { Credentials } from "./clients.ts";
import { secretForTest } from "./recorded-outputs.ts";
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
  /** For the first user; the password is one no output may contain. */
  readonly credentials: Credentials;
  /** The authority `init` makes. */
  readonly caFile: string;
  /**
   * `regctl init` of this folder with this name, port and user; further flags after it. Has to end with 0. The
   * registry listens on all addresses.
   */
  init(flags?: readonly string[], options?: RegctlOptions): Promise<ProgramResult>;
  /** The argv of `init`, for tests that run it in another way (killed, on a terminal); the password goes to stdin. */
  readonly initArgs: readonly string[];
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
  const credentials = { user: "admin", password: secretForTest() };
  const given = ["--name", name, "--port", String(port), "--user", credentials.user, "--password-stdin"];
  const initArgs = ["init", directory, "--yes", ...given];
  const inDirectory = (args: readonly string[], options: RegctlOptions = {}): Promise<ProgramResult> =>
    regctl(args, { cwd: directory, ...options });
  const must = async (args: readonly string[], options: RegctlOptions = {}): Promise<ProgramResult> => {
    const result = await inDirectory(args, options);
    if (result.exitCode === 0) return result;
    throw new Error(
      `regctl ${args.join(" ")} ended with exit code ${result.exitCode}\n${result.stdout}\n${result.stderr}`,
    );
  };
  return {
    name,
    directory,
    port,
    credentials,
    caFile: join(directory, "certs/ca.crt"),
    initArgs,
    init: (flags = [], options = {}) => must([...initArgs, ...flags], { input: credentials.password, ...options }),
    regctl: inDirectory,
    must,
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

const FOLDER_LABEL = "com.docker.compose.project.working_dir";

/** Both regctl and compose label a container with the folder it was made from. */
async function containerIds(directory: string): Promise<string[]> {
  const format = `{{.ID}} {{.Label "${FOLDER_LABEL}"}}`;
  const { stdout } = await mustRun("docker", [
    "ps",
    "--all",
    "--no-trunc",
    "--filter",
    `label=${FOLDER_LABEL}`,
    "--format",
    format,
  ]);
  const found = stdout
    .split("\n")
    .map((line) => ({ id: line.slice(0, line.indexOf(" ")), folder: line.slice(line.indexOf(" ") + 1) }));
  return found.filter(({ folder }) => folder === directory || folder.startsWith(`${directory}/`)).map(({ id }) => id);
}

async function removeDeployment(name: string, directory: string): Promise<void> {
  const containers = await containerIds(directory);
  if (containers.length > 0) await runProgram("docker", ["rm", "--force", "--volumes", ...containers]);
  const filter = `label=com.docker.compose.project=${name}`;
  const networks = (await mustRun("docker", ["network", "ls", "--quiet", "--filter", filter])).stdout.split("\n");
  for (const network of networks.filter(Boolean)) await runProgram("docker", ["network", "rm", network]);
}
