/** regctl.yaml -> what runs: image and containers, after the folder was brought into agreement. */
import { readdir } from "node:fs/promises";
import type { Config } from "../config/config.ts";
import { CONTAINER_PATHS, foreignStorageDriver } from "../config/registry-config.ts";
import { applyStep } from "../deployment/apply.ts";
import { type ServingCheck, waitUntilServing } from "../deployment/health.ts";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import type { ObservedState } from "../deployment/observed.ts";
import { type Change, changeOf, type Plan, planChanges } from "../deployment/plan.ts";
import type { Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { exists, type FileChange, replaceFile } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import { requireDataFolder } from "./data-folder.ts";
import { type Deployment, parseConfigText } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import { isAssembled, obtainImage } from "./obtain-image.ts";
import { presentFiles, sameFile } from "./owners.ts";
import { portProblem } from "./port-problem.ts";
import type { OperationPorts } from "./ports.ts";
import { type Rendered, render, writeRendered } from "./render.ts";
import { withStep } from "./with-step.ts";

/** Everything `up` would do. */
export interface Proposal extends Rendered {
  readonly plan: Plan;
  readonly imageIsMissing: boolean;
  /** By the engine's own health check. */
  readonly isHealthy: boolean;
}

/** A new, empty `data` folder would make every image vanish; moving them is for their owner to do. */
async function refuseMovedData(config: Config, observed: ObservedState): Promise<void> {
  const mounted = observed.containers
    .flatMap(({ mounts }) => mounts)
    .find(({ target }) => target === CONTAINER_PATHS.data);
  if (mounted === undefined || mounted.source === config.data || (await exists(config.data))) return;
  if ((await readdir(mounted.source).catch(() => [] as string[])).length === 0) return;
  throw new RegctlError(
    "precondition-failed",
    `the images are in ${mounted.source}, and data: now names ${config.data}, which is not there`,
    {
      hint: `move them: regctl down && mv ${mounted.source} ${config.data} && regctl up; to begin with none: mkdir ${config.data}`,
    },
  );
}

/** Reads the folder and the engine, unless that was observed already, and says what would change. */
export async function propose(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  observing: Promise<ObservedState> = observeOwn(ports, engine, deployment),
): Promise<Proposal> {
  const { config } = deployment;
  const [rendered, observed] = await Promise.all([render(ports, deployment), observing]);
  if (foreignStorageDriver(config) === undefined) {
    await requireDataFolder(config.data);
    await refuseMovedData(config, observed);
  }
  const plan = planChanges(rendered.desired, observed);
  const imageIsMissing = observed.imageId === undefined;
  const because = `not on this engine; ${isAssembled(config.image) ? "assembled from packages" : "pulled"}`;
  const image: Change[] = imageIsMissing ? [{ action: "create", kind: "image", name: config.image, because }] : [];
  const isHealthy = observed.containers.length > 0 && observed.containers.every(({ health }) => health === "healthy");
  return {
    ...rendered,
    plan,
    imageIsMissing,
    isHealthy,
    changes: [...rendered.changes, ...image, ...plan.steps.map(changeOf)],
  };
}

const STEP_TITLES = {
  "create-network": "create network",
  "remove-network": "remove network",
  "create-container": "start container",
  "start-container": "start container",
  "replace-container": "replace container",
  "rename-container": "rename container",
  "remove-container": "remove container",
} as const;

export interface UpOptions {
  readonly dryRun: boolean;
  readonly offline: boolean;
  /** Proves a login as well; `init` has them. */
  readonly credentials?: ServingCheck["credentials"];
  /** What files held that were replaced already, for the case that the new container does not come up. */
  readonly replaced?: readonly FileChange[];
  /** Files that were not there before: they go in that case. */
  readonly made?: readonly string[];
  /** Told the changes before the first of them. */
  readonly onChanges?: (changes: readonly Change[]) => void;
}

async function withImage(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  offline: boolean,
): Promise<Deployment> {
  const { reference } = await obtainImage(ports, engine, { reference: deployment.config.image, offline });
  if (reference === deployment.config.image) return deployment;
  const { setConfigValue } = await import("../config/edit.ts");
  const text = setConfigValue(deployment.text, "image", reference);
  const { config } = await parseConfigText(deployment.directory, text);
  await replaceFile(deployment.directory, await sameFile(ports, deployment.directory, FILES.config, text));
  ports.output.note(`regctl.yaml now says image: ${reference}`);
  return { ...deployment, text, config };
}

/** Makes what runs agree with regctl.yaml; the changes it made, none when they agreed. The caller holds the lock. */
export async function bringUp(
  ports: OperationPorts,
  deployment: Deployment,
  options: UpOptions,
): Promise<readonly Change[]> {
  const engine = await ports.engine();
  const first = await propose(ports, engine, deployment);
  if (first.changes.length > 0) options.onChanges?.(first.changes);
  if (options.dryRun) return first.changes;
  if (first.changes.length === 0) {
    // Agreeing with regctl.yaml is not enough: it has to serve as well. The engine asks it every few seconds.
    if (first.isHealthy) return first.changes;
    await untilServing(
      ports,
      engine,
      deployment,
      first,
      options.credentials,
    )(containerName(deployment.config.name, REGISTRY_SERVICE));
    return first.changes;
  }

  const current = first.imageIsMissing ? await withImage(ports, engine, deployment, options.offline) : deployment;
  // The id of an image that just came decides whether an older container may stay.
  const proposal = first.imageIsMissing ? await propose(ports, engine, current) : first;
  await requirePort(engine, current, proposal);
  const paths = proposal.files
    .map(({ path }) => path)
    .filter((path) => !options.replaced?.some((file) => file.path === path));
  const previous = [...(options.replaced ?? []), ...(await presentFiles(ports, current.directory, paths))];
  await writeRendered(ports, current, proposal);
  const { credentials, made = [] } = options;
  await applySteps(ports, engine, current, proposal, { credentials, previous, made });
  return first.changes;
}

/** Before anything is stopped: a port somebody else has cannot be taken over. */
async function requirePort(engine: Engine, deployment: Deployment, { plan }: Proposal): Promise<void> {
  if (!plan.steps.some(({ action }) => ["create-container", "replace-container", "start-container"].includes(action)))
    return;
  const problem = await portProblem(engine, deployment.config, deployment.directory);
  if (problem === undefined) return;
  throw new RegctlError(problem.code, `${problem.path} ${problem.message}; nothing was changed`, {
    hint: problem.hint,
  });
}

/** The wait for one container of the deployment. */
function untilServing(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  proposal: Proposal,
  credentials: ServingCheck["credentials"],
): (container: string) => Promise<void> {
  const { authorityPem, client } = proposal.certificates;
  const check = { config: deployment.config, authorityPem, client, credentials };
  return (container) =>
    waitUntilServing(engine, container, check, { timeoutMs: ports.timeoutMs, signal: ports.signal });
}

interface ApplyContext {
  readonly credentials: ServingCheck["credentials"];
  /** The files the running container was started with. */
  readonly previous: readonly FileChange[];
  readonly made: readonly string[];
}

async function applySteps(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  proposal: Proposal,
  { credentials, previous, made }: ApplyContext,
): Promise<void> {
  const { directory } = deployment;
  const options = {
    signal: ports.signal,
    untilServing: untilServing(ports, engine, deployment, proposal, credentials),
    beforeRollback: () => commitTransaction(directory, { directories: [], files: previous, removals: made }),
  };
  for (const step of proposal.plan.steps) {
    ports.signal.throwIfAborted();
    await withStep(ports.progress, `${STEP_TITLES[step.action]} ${changeOf(step).name}`, async () => {
      await applyStep(engine, step, options);
      return { value: undefined };
    });
  }
}
