/** Judging a repository and working out what goes with it, in one reading, shared by threads. */
import { findGoneAndStaying, linkedBlobs, type RepositorySelection } from "../catalog/gone-revisions.ts";
import { retentionFacts, type WantedFacts } from "../catalog/retention-facts.ts";
import type { Problem } from "../collect/problems.ts";
import { readRepository } from "../collect/repository-reader.ts";
import type { RetentionPolicy } from "../config/config.ts";
import type { ImageUse } from "../engine/engine.ts";
import { decide } from "../retention/decide.ts";
import { imagesInUse } from "../retention/in-use.ts";
import type { InUse, Verdict } from "../retention/policy.ts";
import { openIndex, REFERENCED, type Shelf } from "../storage/blob-index.ts";
import { forEachItem } from "../storage/for-each-item.ts";
import { hexOf, repositoryFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import type { Phase } from "../storage/team.ts";

export { listBlobs, markRemaining, weighUnreferenced } from "../catalog/catalog-task.ts";

/** What the threads of a team import. */
export const taskUrl = import.meta.url;

/** Mark of a blob that something needs which goes. */
export const NEEDED_BY_GONE = 64;

/** What containers and services use of this registry, which is reached by these names. */
export interface UsedImages {
  readonly uses: readonly ImageUse[];
  readonly hosts: readonly string[];
}

export function inUseOf({ uses, hosts }: UsedImages): InUse {
  return imagesInUse(uses, hosts);
}

export interface JudgeInput {
  readonly root: string;
  readonly policy: RetentionPolicy;
  readonly used: UsedImages;
  /** In ms since 1970. */
  readonly now: number;
  readonly wanted: readonly WantedFacts[];
  /** Every blob; undefined = only the verdicts are wanted. */
  readonly shelves: readonly Shelf[] | undefined;
}

export interface JudgedRepository {
  readonly repository: string;
  readonly verdicts: readonly Verdict[];
  /** Hexadecimal digests of manifests that go; undefined when nothing is given up. */
  readonly gone: readonly string[] | undefined;
  readonly problems: readonly Problem[];
}

function selectionOf(name: string, verdicts: readonly Verdict[]): RepositorySelection | undefined {
  const given = verdicts.filter(({ keep }) => !keep);
  if (given.length === 0) return undefined;
  return {
    name,
    isWhole: false,
    tags: given.flatMap(({ tag }) => tag ?? []),
    revisions: given.flatMap(({ tag, digest }) => (tag === undefined ? (hexOf(digest) ?? []) : [])),
  };
}

/** An item is a repository; what one of them needs of which something goes is marked. */
export const judgeRepositories: Phase<JudgeInput, JudgedRepository[]> = function* (input, next) {
  const { root, policy, now, wanted, shelves } = input;
  const inUse = inUseOf(input.used);
  const index = openIndex(shelves ?? []);
  const judged: JudgedRepository[] = [];
  yield* forEachItem(next, (item) => {
    const manifests = new Map<string, ManifestReferences | undefined>();
    const { repository, tags, untagged } = retentionFacts(root, wanted[item] as WantedFacts, manifests);
    const verdicts = decide(policy, repository, tags, untagged, now, inUse);
    const selection = shelves === undefined ? undefined : selectionOf(repository, verdicts);
    if (selection === undefined) {
      judged.push({ repository, verdicts, gone: undefined, problems: [] });
      return;
    }
    const known = { manifests, tags: new Map(tags.map(({ tag, digest }) => [tag, digest])) };
    const { revisions, blobs, kept, staying, problems } = findGoneAndStaying(root, selection, known);
    for (const hex of blobs) {
      const blob = index.find(hex);
      if (blob >= 0) index.set(blob, NEEDED_BY_GONE);
    }
    const reader = readRepository(
      { name: repository, folder: repositoryFolder(repository), trashed: [] },
      { root, index, setAside: [] },
    );
    for (const hex of kept) reader.mark(hex);
    for (const [hex, references] of staying) {
      reader.mark(hex);
      if (references === undefined) for (const linked of linkedBlobs(root, repository)) reader.mark(linked);
      else reader.markReferences(references);
    }
    judged.push({ repository, verdicts, gone: revisions, problems: [...problems, ...reader.problems] });
  });
  return judged;
};

/** Of the blobs that something needs which goes, those that nothing was found to need which stays. Hexadecimal. */
export function leftBehind(shelves: readonly Shelf[]): string[] {
  const index = openIndex(shelves);
  return shelves.flatMap(({ first }) => {
    const { begin, end } = index.numbersOf(first);
    const left: string[] = [];
    for (let blob = begin; blob < end; blob++)
      if (index.has(blob, NEEDED_BY_GONE) && !index.has(blob, REFERENCED)) left.push(index.hexOf(blob));
    return left;
  });
}
