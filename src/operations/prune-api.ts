/** `prune` where the images are not on this host: asked and done over `/v2/`, without a trash. */

import type { RetentionPolicy } from "../config/config.ts";
import { decide } from "../retention/decide.ts";
import type { InUse } from "../retention/policy.ts";
import { type DigestMemory, factsOverApi, loadMemory, saveMemory } from "./api-facts.ts";
import { type Deployment, recordAudit } from "./deployment.ts";
import type { RepositoryVerdicts } from "./judge.ts";
import type { OperationPorts } from "./ports.ts";
import type { PrunePlan, PruneResult } from "./prune.ts";
import { listLosses, withRegistryApi } from "./registry-access.ts";

/** What the policy says of every tag. */
export async function judgeOverApi(
  ports: OperationPorts,
  deployment: Deployment,
  policy: RetentionPolicy,
  inUse: InUse,
  only: string | undefined,
): Promise<RepositoryVerdicts[]> {
  for (const { warning } of listLosses(deployment)) ports.output.warn(warning);
  if (policy.rules.some(({ keep }) => keep !== undefined && keep.by === "push" && keep.all !== true))
    ports.output.warn(
      "the registry's API does not tell when a tag was pushed: rules by push keep every tag; say by: build",
    );
  const memory: DigestMemory = await loadMemory(deployment.directory);
  const step = ports.progress.step("ask the registry");
  try {
    return await withRegistryApi(ports, deployment, undefined, async (api) => {
      const names: string[] = [];
      if (only === undefined) for await (const name of api.catalog()) names.push(name);
      else names.push(only);
      const { facts, used } = await factsOverApi(api, names, memory, (done, of) => step.update(`${done}/${of} tags`));
      await saveMemory(deployment.directory, only === undefined ? used : new Map([...memory, ...used]));
      const now = ports.now().getTime();
      step.done();
      return facts.map(({ repository, tags }) => ({
        repository,
        verdicts: decide(policy, repository, tags, [], now, inUse),
      }));
    });
  } catch (error) {
    step.failed();
    throw error;
  }
}

/** What is given up, and no word of bytes or of manifests left without a tag. */
export async function planOverApi(
  ports: OperationPorts,
  deployment: Deployment,
  policy: RetentionPolicy,
  inUse: InUse,
): Promise<PrunePlan> {
  const verdicts = await judgeOverApi(ports, deployment, policy, inUse, undefined);
  const all = verdicts.flatMap(({ repository, verdicts: each }) => each.map((verdict) => ({ repository, ...verdict })));
  const given = all.filter(({ keep }) => !keep);
  return {
    repositories: verdicts.length,
    tags: { total: all.length, removed: given.length },
    removed: given.map(({ repository, tag, digest }) => ({
      repository,
      ...(tag === undefined ? {} : { tag }),
      digest,
    })),
    manifests: [],
    verdicts,
    reclaimable: undefined,
  };
}

/** Deletes at once: what an API deleted cannot be brought back. */
export async function pruneOverApi(
  ports: OperationPorts,
  deployment: Deployment,
  policy: RetentionPolicy,
  inUse: InUse,
): Promise<PruneResult> {
  const plan = await planOverApi(ports, deployment, policy, inUse);
  const tags = plan.removed.flatMap(({ repository, tag }) => (tag === undefined ? [] : [{ repository, tag }]));
  await recordAudit(ports, deployment.directory, "prune", () => deleteOverApi(ports, deployment, tags));
  return { ...plan, trashId: undefined, expires: undefined, returned: 0 };
}

/** Deletes tags one by one, never a sibling; gives back how many there were. */
async function deleteOverApi(
  ports: OperationPorts,
  deployment: Deployment,
  tags: readonly { readonly repository: string; readonly tag: string }[],
): Promise<number> {
  const step = ports.progress.step("delete tags");
  let done = 0;
  const deleted = await withRegistryApi(ports, deployment, undefined, (api) =>
    api.map(tags, async ({ repository, tag }) => {
      const wasThere = await api.deleteTag(repository, tag);
      step.update(`${++done}/${tags.length}`);
      return wasThere;
    }),
  );
  step.done();
  return deleted.filter(Boolean).length;
}
