/** Deployments on the real engine, made without waiting for what is made once: the image, and the keys of an authority. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { curl } from "./clients.ts";
import { keep } from "./kept.ts";
import { type RegctlOptions, regctl } from "./regctl.ts";
import { mustRun } from "./run-program.ts";
import { type EngineContainer, type Scenario, scenario } from "./scenario.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./temporary-directory.ts";

let image: Promise<string> | undefined;

/** The reference of the registry image regctl assembles from this host's packages; assembled unless the engine has it. */
export function registryImage(): Promise<string> {
  image ??= findOrBuildImage();
  return image;
}

async function findOrBuildImage(): Promise<string> {
  const { stdout } = await mustRun("docker", ["images", "regctl/registry", "--format", "{{.Repository}}:{{.Tag}}"]);
  const [found] = stdout.split("\n").filter((line) => line.endsWith("-debian") || line.endsWith("-ubuntu"));
  if (found !== undefined) return found;
  const built = await regctl(["images", "build", "--json"], { timeoutMs: 300_000 });
  expect(built).toMatchObject({ exitCode: 0 });
  return (JSON.parse(built.stdout) as { data: { image: string } }).data.image;
}

export { keep };

let certificates: Promise<TemporaryDirectory> | undefined;

/** A folder `certs` with an authority and a certificate for localhost, made once a test file; `init` adopts what it finds there. */
async function sharedCertificates(): Promise<string> {
  certificates ??= (async () => {
    const folder = keep(temporaryDirectory("regctl-test-certs-"));
    const made = await regctl(["init", join(folder.path, "d"), "--yes", "--no-start", "--bcrypt-cost", "5", "--json"]);
    expect(made).toMatchObject({ exitCode: 0 });
    return folder;
  })();
  return join((await certificates).path, "d/certs");
}

export interface DeployOptions {
  readonly flags?: readonly string[] | undefined;
  /** false = `init` makes an authority of its own. */
  readonly adopt?: boolean | undefined;
  readonly run?: RegctlOptions | undefined;
}

/** What every `init` of these tests is told besides: the image there is, and password hashes that cost little. */
export async function quickFlags(): Promise<string[]> {
  return ["--image", await registryImage(), "--offline", "--bcrypt-cost", "5"];
}

/** Puts the shared authority and certificate into the folder of a deployment that is not made yet. */
export async function adoptCertificates(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await mustRun("cp", ["-a", await sharedCertificates(), join(directory, "certs")]);
}

/** A place for a deployment, with what makes its `init` quick. */
export async function place(options: Pick<DeployOptions, "adopt"> = {}): Promise<Scenario> {
  const made = await scenario();
  if (options.adopt !== false) await adoptCertificates(made.directory);
  return made;
}

/** A deployment that runs. */
export async function deployed(options: DeployOptions = {}): Promise<Scenario> {
  const made = await place(options);
  try {
    await made.init([...(await quickFlags()), ...(options.flags ?? [])], options.run);
    return made;
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

/** The one container of a deployment; fails when there are none or several. */
export async function onlyContainer(
  place: Scenario,
): Promise<EngineContainer & { readonly State: { readonly StartedAt: string; readonly Pid: number } }> {
  const containers = await place.containers();
  expect(containers.map(({ Name }) => Name)).toEqual([`/${place.name}-registry-1`]);
  return containers[0] as EngineContainer & { readonly State: { readonly StartedAt: string; readonly Pid: number } };
}

/** The status a request to /v2/ gets over TLS, verified with the deployment's authority; 0 = no answer. */
export async function answer(place: Scenario, credentials = place.credentials): Promise<number> {
  return (await curl(`https://localhost:${place.port}/v2/`, { caFile: place.caFile, credentials })).status;
}

/** Changes regctl.yaml; fails when there is nothing to change. */
export async function edit(directory: string, from: string | RegExp, to: string): Promise<void> {
  const file = join(directory, "regctl.yaml");
  const text = await readFile(file, "utf8");
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
}

export interface Change {
  readonly action: "create" | "change" | "remove";
  readonly kind: string;
  readonly name: string;
  readonly because: string;
}

/** `data` of the one JSON document a command answers with; the command has to end with 0. */
export async function jsonOf<T>(place: Scenario, args: readonly string[], options: RegctlOptions = {}): Promise<T> {
  const { stdout } = await place.must([...args, "--json"], options);
  return (JSON.parse(stdout) as { data: T }).data;
}

/** What `up` changed. */
export async function changesOfUp(place: Scenario, args: readonly string[] = []): Promise<readonly Change[]> {
  return (await jsonOf<{ changes: readonly Change[] }>(place, ["up", ...args])).changes;
}

/** The error a command that failed with `--json` wrote to stderr. */
export interface WrittenError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: { readonly issues?: readonly { readonly path: string; readonly message: string }[] };
}

export function writtenError(stderr: string): WrittenError {
  const line = stderr.split("\n").find((text) => text.startsWith('{"error"'));
  if (line === undefined) throw new Error(`no error document in:\n${stderr}`);
  return (JSON.parse(line) as { error: WrittenError }).error;
}
