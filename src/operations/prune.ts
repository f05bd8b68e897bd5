/** `prune`: what the retention policy says of every tag, and moving what it gives up to the trash. */
import { setTimeout as delay } from "node:timers/promises";
import { giveBackRevisions } from "../collect/give-back.ts";
import type { UnneededRevision } from "../collect/mark.ts";
import { requireSight } from "../collect/problems.ts";
import { moveToTrash } from "../collect/remove.ts";
import type { Removed } from "../collect/trash-entry.ts";
import { certificateHosts, hostAndPort, type RetentionPolicy } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { parseImageName } from "../registry/image-name.ts";
import { policyFromFlags, type RetentionFlags } from "../retention/flags.ts";
import { digestOf, repositoryFolder, revisionsFolder, tagsFolder } from "../storage/layout.ts";
import { linkTime } from "../storage/small-file.ts";
import type { Deployment } from "./deployment.ts";
import { judge, judgeAndWeigh, type RepositoryVerdicts } from "./judge.ts";
import type { OperationPorts } from "./ports.ts";
import { inUseOf, type UsedImages } from "./prune-task.ts";
import { SETTLE_MS, servingOf } from "./serving.ts";
import {
  changeStore,
  locateStore,
  type OpenStore,
  readStore,
  requireLocal,
  type StoreFlags,
  type StoreTarget,
} from "./store.ts";

export interface PruneRequest extends StoreFlags {
  readonly flags: RetentionFlags;
  /** Over `/v2/` although the files are here. */
  readonly api: boolean;
  readonly keepMs: number;
  /** undefined = as long as a push can be under way; 0 when nothing runs. */
  readonly settleMs: number | undefined;
}

export interface PrunePlan {
  readonly repositories: number;
  readonly tags: { readonly total: number; readonly removed: number };
  readonly removed: readonly Removed[];
  /** Manifests that go: those given up, and those that only what is given up needs. */
  readonly manifests: readonly { readonly repository: string; readonly hex: string }[];
  readonly verdicts: readonly RepositoryVerdicts[];
  /** undefined over the API, where blobs shared with others are not known. */
  readonly reclaimable: number | undefined;
}

const NO_POLICY: RetentionPolicy = { protect: [], protectInUse: true, rules: [] };

function policyOf({ deployment }: StoreTarget, flags: RetentionFlags): RetentionPolicy {
  const policy = policyFromFlags(flags, deployment?.config.retention ?? NO_POLICY);
  if (policy.rules.length > 0) return policy;
  throw new RegctlError("usage", "there is no rule that says what to keep", {
    hint: "say it here (regctl prune --keep 10), or write retention: into regctl.yaml",
  });
}

/** Names clients reach this registry by, as they stand in references. */
function hostsOf({ deployment }: StoreTarget): string[] {
  if (deployment === undefined) return [];
  const { config } = deployment;
  return certificateHosts(config).map((domain) => hostAndPort({ ...config, domain }));
}

async function usesOnEngine(ports: OperationPorts, target: StoreTarget, policy: RetentionPolicy): Promise<UsedImages> {
  if (!policy.protectInUse) return { uses: [], hosts: [] };
  try {
    const engine = await ports.engine();
    return { uses: await engine.images.inUse({ signal: ports.signal }), hosts: hostsOf(target) };
  } catch (error) {
    if (!(error instanceof RegctlError) || !error.code.startsWith("engine-")) throw error;
    throw new RegctlError(error.code, `what containers use cannot be asked: ${error.message}`, {
      cause: error,
      hint: `${error.hint ?? "start the engine"}; without this protection: --no-protect-in-use`,
    });
  }
}

async function planPrune(
  ports: OperationPorts,
  open: OpenStore,
  policy: RetentionPolicy,
  used: UsedImages,
): Promise<PrunePlan> {
  const freed = await judgeAndWeigh(ports, open, policy, used);
  const { verdicts } = freed;
  const given = verdicts.flatMap(({ repository, verdicts: all }) =>
    all.filter(({ keep }) => !keep).map(({ tag, digest }) => ({ repository, tag, digest })),
  );
  const tags = given.filter(({ tag }) => tag !== undefined);
  requireSight(freed.problems, "removed");
  const named = new Set(given.map(({ repository, digest }) => `${repository}@${digest}`));
  return {
    repositories: verdicts.length,
    tags: {
      total: verdicts.reduce((sum, { verdicts: all }) => sum + all.filter(({ tag }) => tag !== undefined).length, 0),
      removed: tags.length,
    },
    removed: [
      ...given.map(({ repository, tag, digest }) => ({ repository, ...(tag === undefined ? {} : { tag }), digest })),
      ...freed.revisions
        .map(({ repository, hex }) => ({ repository, digest: digestOf(hex) }))
        .filter(({ repository, digest }) => !named.has(`${repository}@${digest}`)),
    ],
    manifests: freed.revisions,
    verdicts,
    reclaimable: freed.bytes,
  };
}

function localOf(target: StoreTarget): string {
  return requireLocal(target, "prune", "give the folder with --data");
}

/** The deployment whose registry has to be asked; undefined = its files are here. */
function remoteOf({ data, deployment }: StoreTarget, { api }: PruneRequest): Deployment | undefined {
  if (data !== undefined && !api) return undefined;
  if (deployment !== undefined) return deployment;
  throw new RegctlError("usage", "--data reads files, --api asks a registry: give one of them");
}

/** Name of the deployment whose tags would go for good, as over the API; undefined = there is a trash. */
export async function permanentlyPruned(ports: OperationPorts, request: PruneRequest): Promise<string | undefined> {
  return remoteOf(await locateStore(ports, request), request)?.config.name;
}

/** What would go, with its bytes; nothing is changed. */
export async function previewPrune(ports: OperationPorts, request: PruneRequest): Promise<PrunePlan> {
  const target = await locateStore(ports, request);
  const policy = policyOf(target, request.flags);
  const used = await usesOnEngine(ports, target, policy);
  const remote = remoteOf(target, request);
  if (remote !== undefined) return (await import("./prune-api.ts")).planOverApi(ports, remote, policy, inUseOf(used));
  return readStore(ports, localOf(target), (open) => planPrune(ports, open, policy, used));
}

/** Which rule decides about an image, and why. */
export async function explainPrune(
  ports: OperationPorts,
  request: PruneRequest,
  text: string,
): Promise<RepositoryVerdicts> {
  const target = await locateStore(ports, request);
  const policy = policyOf(target, request.flags);
  const host = target.deployment === undefined ? undefined : hostAndPort(target.deployment.config);
  const { repository, tag, digest } = parseImageName(text, host);
  const used = await usesOnEngine(ports, target, policy);
  const remote = remoteOf(target, request);
  const judged =
    remote === undefined
      ? await readStore(ports, localOf(target), (open) => judge(ports, open, policy, used, [repository]))
      : await (await import("./prune-api.ts")).judgeOverApi(ports, remote, policy, inUseOf(used), repository);
  const verdicts = (judged[0]?.verdicts ?? []).filter(
    (verdict) => (tag === undefined || verdict.tag === tag) && (digest === undefined || verdict.digest === digest),
  );
  if (verdicts.length > 0) return { repository, verdicts };
  throw new RegctlError("not-found", `no rule is asked about ${text}: there is no such tag, or a tag needs it`, {
    hint: `regctl tags ${repository} lists its tags`,
  });
}

export interface PruneResult extends PrunePlan {
  readonly trashId: string | undefined;
  readonly expires: string | undefined;
  /** Manifests pushed again meanwhile, which stay. */
  readonly returned: number;
}

function byRepository(open: OpenStore, plan: PrunePlan): Map<string, UnneededRevision[]> {
  const moved = new Map<string, UnneededRevision[]>();
  for (const { repository, hex } of plan.manifests) {
    const folder = `${open.store.root}/${revisionsFolder(repositoryFolder(repository))}/${hex}`;
    const revision = { hex, linkedMs: linkTime(folder) ?? 0 };
    const others = moved.get(repository);
    if (others === undefined) moved.set(repository, [revision]);
    else others.push(revision);
  }
  return moved;
}

/** Moves what the policy gives up to the trash. */
export async function prune(ports: OperationPorts, request: PruneRequest): Promise<PruneResult> {
  const target = await locateStore(ports, request);
  const policy = policyOf(target, request.flags);
  const used = await usesOnEngine(ports, target, policy);
  const remote = remoteOf(target, request);
  if (remote !== undefined) return (await import("./prune-api.ts")).pruneOverApi(ports, remote, policy, inUseOf(used));
  const data = localOf(target);
  const serving = target.deployment === undefined ? undefined : await servingOf(ports, target.deployment);
  const settleMs = request.settleMs ?? serving?.settleMs ?? SETTLE_MS;
  return changeStore(ports, { ...target, data }, "prune", async (open) => {
    const plan = await planPrune(ports, open, policy, used);
    if (plan.removed.length === 0) return { ...plan, trashId: undefined, expires: undefined, returned: 0 };
    const moved = byRepository(open, plan);
    const paths = [
      ...plan.removed.flatMap(({ repository, tag }) =>
        tag === undefined ? [] : [`${tagsFolder(repositoryFolder(repository))}/${tag}`],
      ),
      ...plan.manifests.map(({ repository, hex }) => `${revisionsFolder(repositoryFolder(repository))}/${hex}`),
    ];
    const entry = moveToTrash(
      open.store,
      { kind: "prune", removed: plan.removed, paths },
      { now: ports.now(), keepMs: request.keepMs, bytes: plan.reclaimable, signal: ports.signal },
    );
    const flushCaches = serving?.flushCaches;
    if (flushCaches !== undefined) await open.regain(flushCaches);
    if (settleMs > 0 && plan.manifests.length > 0) {
      const step = ports.progress.step("let pushes under way end");
      await delay(settleMs, undefined, { signal: ports.signal });
      step.done();
    }
    const returned = giveBackRevisions(open.store, entry.id, moved);
    return { ...plan, trashId: entry.id, expires: entry.expires, returned: returned.length };
  });
}
