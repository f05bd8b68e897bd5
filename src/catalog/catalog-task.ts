/** The phases of reading a store for display that threads share. */
import type { Problem } from "../collect/problems.ts";
import { readRepository } from "../collect/repository-reader.ts";
import { type BlobIndex, openIndex, REFERENCED, type Shelf } from "../storage/blob-index.ts";
import { forEachItem } from "../storage/for-each-item.ts";
import { isHex, layersFolder, repositoryFolder, revisionsFolder } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import type { Phase } from "../storage/team.ts";
import { findGoneRevisions, type GoneRevisions, linkedBlobs, type RepositorySelection } from "./gone-revisions.ts";

export { listBlobs, markBlobs, weighUnreferenced } from "../collect/survey-task.ts";
export { weighBlobs } from "./weigh-blobs.ts";
export { weighRepositories } from "./weigh-repositories.ts";

/** What the threads of a team import. */
export const taskUrl = import.meta.url;

export interface FindGoneInput {
  readonly root: string;
  readonly selections: readonly RepositorySelection[];
}

/** Looks for what goes with a deletion; an item is a repository something of which is deleted. */
export const findGone: Phase<FindGoneInput, GoneRevisions[]> = function* ({ root, selections }, next) {
  const gone: GoneRevisions[] = [];
  yield* forEachItem(next, (item) => {
    gone.push(findGoneRevisions(root, selections[item] as RepositorySelection));
  });
  return gone;
};

export interface MarkRemainingInput {
  readonly root: string;
  /** The blobs in question. */
  readonly shelves: readonly Shelf[];
  /** Repositories something of which stays. */
  readonly repositories: readonly string[];
  /** Manifests (hexadecimal) that go, by repository. */
  readonly gone: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Whether a repository links a blob in question that is not marked yet: a manifest cannot be pushed before everything it
 * names is linked beside it, so no other repository needs one.
 */
function linksUnmarked(root: string, name: string, index: BlobIndex): boolean {
  const folder = `${root}/${repositoryFolder(name)}`;
  const isAsked = (hex: string): boolean => {
    const blob = isHex(hex) ? index.find(hex) : -1;
    return blob >= 0 && !index.has(blob, REFERENCED);
  };
  return namesIn(layersFolder(folder)).some(isAsked) || namesIn(revisionsFolder(folder)).some(isAsked);
}

/** Marks those of the blobs in question that what stays needs; an item is a repository. */
export const markRemaining: Phase<MarkRemainingInput, Problem[]> = function* (input, next) {
  const { root } = input;
  const index = openIndex(input.shelves);
  const followed = new Set<string>();
  const problems: Problem[] = [];
  yield* forEachItem(next, (item) => {
    const name = input.repositories[item] as string;
    const gone = input.gone.get(name);
    if (!linksUnmarked(root, name, index)) return;
    const repository = { name, folder: repositoryFolder(name), trashed: [] };
    const reader = readRepository(repository, { root, index, setAside: [] });
    for (const { hex } of reader.linkedRevisions()) {
      if (followed.has(hex) || gone?.has(hex) === true) continue;
      reader.mark(hex);
      const references = reader.manifest(hex);
      if (references === undefined) {
        for (const linked of linkedBlobs(root, name)) reader.mark(linked);
        continue;
      }
      reader.markReferences(references);
      followed.add(hex);
    }
    problems.push(...reader.problems);
  });
  return problems;
};
