/** The phase that weighs repositories: an item is one of them. */
import { lstatSync } from "node:fs";
import type { Problem } from "../collect/problems.ts";
import { readRepository } from "../collect/repository-reader.ts";
import { openIndex, type Shelf } from "../storage/blob-index.ts";
import { forEachItem } from "../storage/for-each-item.ts";
import { repositoryFolder, tagsFolder } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import type { Phase } from "../storage/team.ts";
import { type LedgerMemory, openLedger } from "./blob-ledger.ts";
import { linkedBlobs } from "./gone-revisions.ts";

export interface WeighInput {
  readonly root: string;
  readonly shelves: readonly Shelf[];
  readonly ledger: LedgerMemory;
  readonly names: readonly string[];
}

export interface Weight {
  /** Place of the repository among the names. */
  readonly repository: number;
  readonly tags: number;
  /** Of every blob its manifests need, tagged or not, each once. */
  readonly bytes: number;
  /** When its newest tag was written, in ms since 1970; 0 = it has none. */
  readonly pushedMs: number;
}

export interface Weights {
  readonly weights: readonly Weight[];
  readonly problems: readonly Problem[];
}

function tagsOf(root: string, name: string): { readonly tags: number; readonly pushedMs: number } {
  const folder = `${root}/${tagsFolder(repositoryFolder(name))}`;
  let tags = 0;
  let pushedMs = 0;
  for (const tag of namesIn(folder)) {
    const link = lstatSync(`${folder}/${tag}/current/link`, { throwIfNoEntry: false });
    if (link === undefined) continue;
    tags += 1;
    pushedMs = Math.max(pushedMs, link.mtimeMs);
  }
  return { tags, pushedMs };
}

export const weighRepositories: Phase<WeighInput, Weights> = function* (
  { root, shelves, ledger: memory, names },
  next,
) {
  const index = openIndex(shelves);
  const ledger = openLedger(root, index, memory);
  // The last repository that counted a blob, plus 1.
  const countedBy = new Uint32Array(ledger.count);
  const weights: Weight[] = [];
  const problems: Problem[] = [];
  yield* forEachItem(next, (item) => {
    const name = names[item] as string;
    let bytes = 0;
    const count = (blob: number) => {
      const place = ledger.placeOf(blob);
      if (countedBy[place] === item + 1) return;
      countedBy[place] = item + 1;
      ledger.claim(place, item);
      bytes += ledger.weigh(place, blob) ?? 0;
    };
    const repository = { name, folder: repositoryFolder(name), trashed: [] };
    const reader = readRepository(repository, { root, index: { ...index, set: count }, setAside: [] });
    for (const { hex } of reader.linkedRevisions()) {
      reader.mark(hex);
      const references = reader.manifest(hex);
      if (references !== undefined) reader.markReferences(references);
      // It may need anything that is linked.
      else for (const linked of linkedBlobs(root, name)) reader.mark(linked);
    }
    weights.push({ repository: item, bytes, ...tagsOf(root, name) });
    problems.push(...reader.problems);
  });
  return { weights, problems };
};
