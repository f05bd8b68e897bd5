/** Stopping a deployment, starting it anew, and removing it; the images are kept unless their removal is asked for by name. */
import { rm, rmdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { applyStep } from "../deployment/apply.ts";
import { waitUntilServing } from "../deployment/health.ts";
import type { ObservedState } from "../deployment/observed.ts";
import { type Change, changeOf, planRemoval } from "../deployment/plan.ts";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { exists, fileError } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { readCertificateFiles } from "./certificates.ts";
import { requireDataFolder, storageEntries } from "./data-folder.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import type { OperationPorts } from "./ports.ts";
import { withStep } from "./with-step.ts";

/** Nothing is started, so nothing is waited for or rolled back. */
const NO_WAIT = { untilServing: () => Promise.resolve(), beforeRollback: () => Promise.resolve() };

async function observed(ports: OperationPorts, deployment: Deployment): Promise<ObservedState> {
  return observeOwn(ports, await ports.engine(), deployment);
}

/** What removing the containers and the network would change. */
export async function removalChanges(ports: OperationPorts, deployment: Deployment): Promise<readonly Change[]> {
  return planRemoval(await observed(ports, deployment)).steps.map(changeOf);
}

/** Removes the containers, gently, and the network. The folder stays as it is. The caller holds the lock. */
export async function takeDown(ports: OperationPorts, deployment: Deployment): Promise<readonly Change[]> {
  const engine = await ports.engine();
  const { steps } = planRemoval(await observed(ports, deployment));
  for (const step of steps) {
    ports.signal.throwIfAborted();
    const change = changeOf(step);
    await withStep(ports.progress, `remove ${change.kind} ${change.name}`, async () => {
      await applyStep(engine, step, { signal: ports.signal, ...NO_WAIT });
      return { value: undefined };
    });
  }
  return steps.map(changeOf);
}

/** Stops and starts the containers there are; uploads under way are finished first (drain). */
export async function restart(ports: OperationPorts, directory: string): Promise<readonly string[]> {
  const engine = await ports.engine();
  const deployment = await loadDeployment(directory);
  const { containers } = await observed(ports, deployment);
  if (containers.length === 0)
    throw new RegctlError("not-found", `${deployment.config.name} has no container to restart`, { hint: "regctl up" });
  if (containers.length > 1)
    throw new RegctlError("conflict", "a replacement was interrupted: there is more than one container", {
      hint: "`regctl up` finishes it, and restarts it thereby",
    });
  const { authorityPem, client } = await readCertificateFiles(directory);
  for (const container of containers) {
    await withStep(ports.progress, `restart ${container.name}`, async () => {
      await engine.containers.stop(container.id, { signal: ports.signal });
      await engine.containers.start(container.id, { signal: ports.signal });
      await waitUntilServing(
        engine,
        container.id,
        { config: deployment.config, authorityPem, client },
        { timeoutMs: ports.timeoutMs, signal: ports.signal },
      );
      return { value: undefined };
    });
  }
  return containers.map((container) => container.name);
}

/** What `up` renders again; everything else only its owner can make: regctl.yaml, users, the authority, the images. */
const RENDERED = [
  FILES.compose,
  "registry",
  FILES.configCache,
  FILES.secrets,
  FILES.unfinishedInit,
  FILES.collection,
] as const;

interface Removal {
  /** Absolute. */
  readonly path: string;
  /** A folder that goes only when nothing is left in it. */
  readonly ifEmpty: boolean;
}

/** In the order they are removed. */
async function removals({ directory, config }: Deployment, data: boolean): Promise<Removal[]> {
  const whole = (path: string): Removal => ({ path: join(directory, path), ifEmpty: false });
  const rendered = RENDERED.map(whole);
  if (!data) return rendered;
  await requireDataFolder(config.data);
  // Only a registry's storage: whatever else lies beside it is somebody else's.
  const storage = (await storageEntries(config.data)).map((name) => ({
    path: join(config.data, name),
    ifEmpty: false,
  }));
  const isInside = config.data.startsWith(`${directory}/`);
  return [
    ...rendered,
    ...storage,
    ...(isInside ? [{ path: config.data, ifEmpty: true }] : []),
    ...["certs", "auth", FILES.state].map(whole),
    // Last: while it is there, an interrupted removal can be run again.
    whole(FILES.config),
    { path: directory, ifEmpty: true },
  ];
}

/** What `removeFiles` would remove of what is there. */
export async function fileRemovals(deployment: Deployment, options: { readonly data: boolean }): Promise<Change[]> {
  const paths = (await removals(deployment, options.data)).filter(({ ifEmpty }) => !ifEmpty).map(({ path }) => path);
  const present = await Promise.all(paths.map((path) => exists(path)));
  return paths
    .filter((_, index) => present[index])
    .map((path) => ({
      action: "remove",
      kind: "file",
      name: relative(deployment.directory, path),
      because: "asked for",
    }));
}

/** After `takeDown`: removes what `up` renders again, or with `data` everything regctl put into the folder. */
export async function removeFiles(deployment: Deployment, options: { readonly data: boolean }): Promise<void> {
  try {
    for (const { path, ifEmpty } of await removals(deployment, options.data)) {
      if (ifEmpty) await removeEmpty(path);
      else await rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    throw fileError(error, `remove the files of ${deployment.directory}`);
  }
}

/** Not empty, the mount point of a disk, or in a folder of somebody else's: such a folder stays. */
const STAYS: ReadonlySet<string> = new Set(["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "EACCES", "EPERM"]);

async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: unknown) => {
    if (!STAYS.has(systemCodeOf(error) ?? "")) throw error;
  });
}
