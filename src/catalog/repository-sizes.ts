/** What every repository of a store weighs, and what of that it alone needs. */
import type { Problem } from "../collect/problems.ts";
import { FIRST_BYTES, openIndex } from "../storage/blob-index.ts";
import type { Store } from "../storage/layout.ts";
import type { Team } from "../storage/team.ts";
import { ledgerMemory, openLedger } from "./blob-ledger.ts";
import * as catalogTask from "./catalog-task.ts";
import { repositoryNames } from "./repository-names.ts";

export interface RepositorySize {
  readonly name: string;
  readonly tags: number;
  /** Content of every blob its manifests need, untagged ones' as well, each once. */
  readonly sizeBytes: number;
  /** Of that, what no other repository needs. */
  readonly exclusiveBytes: number;
  /** When its newest tag was written, in ms since 1970; undefined = it has none. */
  readonly pushedMs: number | undefined;
}

export interface RepositorySizes {
  /** In the catalog's order. */
  readonly repositories: readonly RepositorySize[];
  /** Content of all blobs that some repository needs, each once. */
  readonly neededBytes: number;
  readonly problems: readonly Problem[];
}

export type OnProgress = (what: string, done: number, of: number) => void;

/** `team` is one for `catalogTask`. Rejects with a system error. */
export async function weighStore(store: Store, team: Team, onProgress?: OnProgress): Promise<RepositorySizes> {
  const { root } = store;
  const listed = await team.run(
    "listBlobs",
    catalogTask.listBlobs,
    { root },
    {
      count: FIRST_BYTES,
      onProgress: (done) => onProgress?.("list blobs", done, FIRST_BYTES),
    },
  );
  const shelves = listed.flat();
  const names = repositoryNames(store);
  const memory = ledgerMemory(shelves);
  const input = { root, shelves, ledger: memory, names };
  const parts = await team.run("weighRepositories", catalogTask.weighRepositories, input, {
    count: names.length,
    onProgress: (done) => onProgress?.("weigh repositories", done, names.length),
  });
  const ledger = openLedger(root, openIndex(shelves), memory);
  const exclusive = new Float64Array(names.length);
  let neededBytes = 0;
  for (let place = 0; place < ledger.count; place++) {
    const weight = ledger.weightOf(place);
    const owner = ledger.ownerOf(place);
    if (owner >= 0) exclusive[owner] = (exclusive[owner] as number) + weight;
    neededBytes += weight;
  }
  const weights = parts.flatMap((part) => part.weights).sort((a, b) => a.repository - b.repository);
  return {
    repositories: weights.map(({ repository, tags, bytes, pushedMs }) => ({
      name: names[repository] as string,
      tags,
      sizeBytes: bytes,
      exclusiveBytes: exclusive[repository] as number,
      pushedMs: pushedMs === 0 ? undefined : pushedMs,
    })),
    neededBytes,
    problems: parts.flatMap((part) => part.problems),
  };
}
