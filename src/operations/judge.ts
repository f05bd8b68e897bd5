/** What a retention policy says of the tags in a store, and what goes with those it gives up. */
import type { WantedFacts } from "../catalog/retention-facts.ts";
import type { Problem } from "../collect/problems.ts";
import { repositoryNames } from "../collect/removal.ts";
import { readEntries } from "../collect/trash-entry.ts";
import { trashedRepositories } from "../collect/trashed-roots.ts";
import type { RetentionPolicy } from "../config/config.ts";
import { needsBuildDates, needsUntagged, type Verdict } from "../retention/policy.ts";
import { FIRST_BYTES, type Shelf, shelvesOf } from "../storage/blob-index.ts";
import type { Team } from "../storage/team.ts";
import type { OperationPorts } from "./ports.ts";
import * as pruneTask from "./prune-task.ts";
import type { OpenStore } from "./store.ts";

export interface RepositoryVerdicts {
  readonly repository: string;
  readonly verdicts: readonly Verdict[];
}

export interface JudgedStore {
  readonly verdicts: readonly RepositoryVerdicts[];
  /** Manifests that go: those given up, and those that only what is given up needs. */
  readonly revisions: readonly { readonly repository: string; readonly hex: string }[];
  /** Content of the blobs that nothing needs any more once they are gone, each once. */
  readonly bytes: number;
  readonly problems: readonly Problem[];
}

function wantedFacts(open: OpenStore, policy: RetentionPolicy, names: readonly string[]): WantedFacts[] {
  const trashed = trashedRepositories(open.store, readEntries(open.store));
  return names.map((repository) => ({
    repository,
    trashed: trashed.get(repository) ?? [],
    built: needsBuildDates(policy, repository),
    children: policy.protectInUse,
    untagged: needsUntagged(policy, repository),
  }));
}

async function runJudge(
  team: Team,
  ports: OperationPorts,
  input: Omit<pruneTask.JudgeInput, "now">,
): Promise<pruneTask.JudgedRepository[]> {
  const now = ports.now().getTime();
  const count = input.wanted.length;
  return (await team.run("judgeRepositories", pruneTask.judgeRepositories, { ...input, now }, { count })).flat();
}

/** The verdicts alone; every repository is read as far as the policy asks. */
export async function judge(
  ports: OperationPorts,
  open: OpenStore,
  policy: RetentionPolicy,
  used: pruneTask.UsedImages,
  names: readonly string[],
): Promise<RepositoryVerdicts[]> {
  const wanted = wantedFacts(open, policy, names);
  const input = { root: open.store.root, policy, used, wanted, shelves: undefined };
  return runJudge(open.team(pruneTask), ports, input);
}

/** The verdicts with what they free. A repository of which something goes is read once, another only if it may need that. */
export async function judgeAndWeigh(
  ports: OperationPorts,
  open: OpenStore,
  policy: RetentionPolicy,
  used: pruneTask.UsedImages,
): Promise<JudgedStore> {
  const { root } = open.store;
  const team = open.team(pruneTask);
  const shelves = (await team.run("listBlobs", pruneTask.listBlobs, { root }, { count: FIRST_BYTES })).flat();
  const wanted = wantedFacts(open, policy, repositoryNames(open.store));
  const judged = await runJudge(team, ports, { root, policy, used, wanted, shelves });
  const others = judged.filter(({ gone }) => gone === undefined).map(({ repository }) => repository);
  const weighed = await weighLeft(team, root, pruneTask.leftBehind(shelves), others);
  return {
    verdicts: judged.map(({ repository, verdicts }) => ({ repository, verdicts })),
    revisions: judged.flatMap(({ repository, gone = [] }) => gone.map((hex) => ({ repository, hex }))),
    bytes: weighed.bytes,
    problems: [...judged.flatMap(({ problems }) => problems), ...weighed.problems],
  };
}

/** Bytes of those of the blobs that none of the repositories needs. */
async function weighLeft(
  team: Team,
  root: string,
  hexes: readonly string[],
  repositories: readonly string[],
): Promise<{ readonly bytes: number; readonly problems: readonly Problem[] }> {
  if (hexes.length === 0) return { bytes: 0, problems: [] };
  const shelves: readonly Shelf[] = shelvesOf(hexes);
  const input = { root, shelves, repositories, gone: new Map<string, ReadonlySet<string>>() };
  const problems = await team.run("markRemaining", pruneTask.markRemaining, input, { count: repositories.length });
  const weights = await team.run(
    "weighUnreferenced",
    pruneTask.weighUnreferenced,
    { root, shelves },
    { count: FIRST_BYTES },
  );
  const bytes = weights.flatMap((weight) => weight.bytes).reduce((sum, size) => sum + size, 0);
  return { bytes, problems: problems.flat() };
}
