/**
 * `gc --engine upstream`: distribution's own collector, for any storage driver. It deletes what is pushed while it runs, so the
 * registry is read-only meanwhile; whatever happens, it is made writable again, by the next command if this one is killed.
 */
import { addBlobSizes, type BlobSizes, weighBlobs } from "../collect/blob-sizes.ts";
import { foreignStorageDriver } from "../config/registry-config.ts";
import { collectorContainer } from "../deployment/collector.ts";
import type { ContainerSpec } from "../engine/engine.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { markCollection } from "./collection-mark.ts";
import { type Deployment, loadDeployment, withLock } from "./deployment.ts";
import { timeDowntime } from "./downtime.ts";
import { locateDeployment } from "./locate.ts";
import { observeOwn } from "./observe-own.ts";
import type { OperationPorts } from "./ports.ts";
import { endCollection, readOnlyDeployment, requireReadOnly } from "./quiesce.ts";
import { type ProvenOutput, runCollector } from "./run-collector.ts";
import { changeStore, type OpenStore, readStore } from "./store.ts";
import { bringUp, propose } from "./up.ts";
import { refuseByConfig, refuseByStore, refuseDrift, refuseUnstoppable } from "./upstream-refusals.ts";

export interface UpstreamGcRequest {
  /** --dir. */
  readonly dir: string | undefined;
  readonly untagged: boolean;
  readonly dryRun: boolean;
}

export interface UpstreamGcResult {
  readonly dryRun: boolean;
  readonly repositories: number;
  /** `total` of a storage elsewhere is what was marked and what was not, whether it is there or only referred to. */
  readonly blobs: {
    readonly total: number;
    readonly marked: number;
    readonly deletable: number;
    readonly deleted: number;
  };
  readonly manifests: { readonly total: number; readonly deletable: number; readonly deleted: number };
  /** null where sizes are not on this host. */
  readonly bytes: { readonly reclaimable: number | null; readonly reclaimed: number | null };
  /** Digests, and `repository@digest`. */
  readonly deletable: { readonly blobs: readonly string[]; readonly manifests: readonly string[] };
  readonly seconds: number;
  /** How long pulls got no answer: while the container was replaced, twice. */
  readonly readPauseMs: number;
  /** How long pushes were refused. */
  readonly writePauseMs: number;
}

interface Collected {
  readonly output: ProvenOutput;
  readonly readPauseMs: number;
  readonly writePauseMs: number;
}

/** What a run works on, all of it known before the first change. */
interface Prepared {
  readonly deployment: Deployment;
  readonly spec: ContainerSpec;
  readonly isStopped: boolean;
}

const RUNNING: ReadonlySet<string> = new Set(["running", "restarting", "paused"]);

async function prepare(ports: OperationPorts, deployment: Deployment, request: UpstreamGcRequest): Promise<Prepared> {
  const { config, directory } = deployment;
  refuseByConfig(config, request);
  const engine = await ports.engine();
  const { containers, network } = await observeOwn(ports, engine, deployment);
  const isStopped = !containers.some(({ state }) => RUNNING.has(state));
  const proposal = await propose(ports, engine, deployment);
  refuseDrift(proposal, isStopped);
  if (!request.dryRun && !isStopped) refuseUnstoppable(config, containers);
  const spec = collectorContainer(proposal.desired, {
    ...{ major: config.major, directory, untagged: request.untagged, dryRun: request.dryRun },
    hasNetwork: network !== undefined,
  });
  return { deployment, spec, isStopped };
}

/** The end of a collection has to be reached; when it is not, that is what the user has to hear, with what went before. */
async function restore(ports: OperationPorts, deployment: Deployment, failed: unknown): Promise<void> {
  try {
    await endCollection(ports, deployment);
  } catch (error) {
    const before = failed === undefined ? "" : `${messageOf(failed)}; and `;
    throw new RegctlError(
      error instanceof RegctlError ? error.code : "operation-failed",
      `${before}the registry may still take no pushes: ${messageOf(error)}`,
      { cause: error, hint: "run `regctl up` as soon as that is mended: it makes it writable" },
    );
  }
}

/** Runs the collector in whatever state the registry has to be for it, and ends that state again. */
async function collect(
  ports: OperationPorts,
  { deployment, spec, isStopped }: Prepared,
  dryRun: boolean,
  onReadOnly: () => Promise<void>,
): Promise<Collected> {
  const { directory } = deployment;
  const clock = timeDowntime(await ports.engine());
  const timed: OperationPorts = { ...ports, engine: async () => clock.engine };
  const readOnly = !dryRun && !isStopped;
  await markCollection(directory, { since: ports.now().toISOString(), readOnly });
  let output: ProvenOutput | undefined;
  let failed: unknown;
  try {
    if (readOnly) {
      const quiesced = readOnlyDeployment(deployment);
      await bringUp(timed, quiesced, { dryRun: false, offline: true });
      await requireReadOnly(timed, quiesced);
    }
    await onReadOnly();
    output = await runCollector(timed, clock.engine, spec);
  } catch (error) {
    failed = error;
  }
  await restore(timed, deployment, failed);
  if (output === undefined) throw failed;
  return { output, readPauseMs: clock.downMs(), writePauseMs: clock.spanMs() };
}

function resultOf({ output, ...pauses }: Collected, dryRun: boolean): Omit<UpstreamGcResult, "seconds"> {
  const { proof, repositories, markedManifests, deletable } = output;
  return {
    dryRun,
    repositories,
    blobs: {
      total: proof.marked + proof.blobs,
      marked: proof.marked,
      deletable: proof.blobs,
      deleted: dryRun ? 0 : proof.blobs,
    },
    manifests: {
      total: markedManifests + proof.manifests,
      deletable: proof.manifests,
      deleted: dryRun ? 0 : proof.manifests,
    },
    bytes: { reclaimable: null, reclaimed: null },
    deletable,
    ...pauses,
  };
}

/** The same, with what only the files of a storage on this host tell. */
async function collectLocally(
  ports: OperationPorts,
  prepared: Prepared,
  request: UpstreamGcRequest,
  { store, regain }: OpenStore,
): Promise<Omit<UpstreamGcResult, "seconds">> {
  const { major } = prepared.deployment.config;
  await refuseByStore(store, { major, untagged: request.untagged, now: ports.now() });
  const sizes: BlobSizes = new Map();
  await addBlobSizes(store, sizes);
  // Sizes only, by the storage's own path: what was pushed until the registry was read-only.
  const addNew = () => addBlobSizes({ root: store.name, name: store.name }, sizes);
  const collected = await regain(() => collect(ports, prepared, request.dryRun, addNew));
  const result = resultOf(collected, request.dryRun);
  const found = weighBlobs(store, sizes, result.deletable.blobs, { onlyGone: false });
  const gone = request.dryRun
    ? { blobs: 0, bytes: 0 }
    : weighBlobs(store, sizes, result.deletable.blobs, { onlyGone: true });
  return {
    ...result,
    blobs: { ...result.blobs, total: sizes.size },
    bytes: { reclaimable: found.bytes, reclaimed: gone.bytes },
  };
}

async function runUpstream(
  ports: OperationPorts,
  deployment: Deployment,
  request: UpstreamGcRequest,
  command: string,
): Promise<Omit<UpstreamGcResult, "seconds">> {
  const prepared = await prepare(ports, deployment, request);
  const driver = foreignStorageDriver(deployment.config);
  if (driver !== undefined) {
    if (!request.dryRun)
      ports.output.note(
        `only this registry is made read-only: whoever else writes to the same ${driver} storage must not do so meanwhile`,
      );
    return resultOf(await collect(ports, prepared, request.dryRun, async () => undefined), request.dryRun);
  }
  const work = (open: OpenStore) => collectLocally(ports, prepared, request, open);
  const { data } = deployment.config;
  // The audit line is written with the deployment's lock already.
  return request.dryRun
    ? readStore(ports, data, work)
    : changeStore(ports, { data, deployment: undefined }, command, work);
}

/**
 * Also a dry run takes the deployment's lock: it makes a container. `precondition-failed` before the first change where it
 * would lose images, or would give up.
 */
export async function gcUpstream(ports: OperationPorts, request: UpstreamGcRequest): Promise<UpstreamGcResult> {
  const directory = await locateDeployment(ports, request.dir);
  const flags = [...(request.untagged ? ["--untagged"] : []), ...(request.dryRun ? ["--dry-run"] : [])];
  const command = ["gc --engine upstream", ...flags].join(" ");
  return withLock(ports, directory, command, async () => {
    const began = performance.now();
    const result = await runUpstream(ports, await loadDeployment(directory), request, command);
    return { ...result, seconds: (performance.now() - began) / 1000 };
  });
}
