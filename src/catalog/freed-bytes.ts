/**
 * What a deletion would free:
 *
 *     const { bytes, blobs, revisions, problems } =
 *       await freedBytes(store, open.team(catalogTask), { repositories, tags, revisions });
 *
 * All of the selection is one deletion. Counted is the content of blobs that some manifest needs now and none needs once the
 * selection is deleted, the trash is purged, and garbage is collected; a manifest that the selection leaves without a tag
 * counts as deleted unless an index that stays lists it, or a manifest that stays is its subject. What nothing needs
 * already is not counted, and what only the trash needs neither.
 */
import type { Problem } from "../collect/problems.ts";
import { FIRST_BYTES, openIndex, REFERENCED, shelvesOf } from "../storage/blob-index.ts";
import { REPOSITORIES, type Store } from "../storage/layout.ts";
import { walkRepositories } from "../storage/repositories.ts";
import type { Team } from "../storage/team.ts";
import * as catalogTask from "./catalog-task.ts";
import type { RepositorySelection } from "./gone-revisions.ts";

/** What is not in the store is passed over. */
export interface DeletionSelection {
  readonly repositories: readonly string[];
  readonly tags: readonly { readonly repository: string; readonly tag: string }[];
  /** Manifests; `hex` is the digest without `sha256:`. */
  readonly revisions: readonly { readonly repository: string; readonly hex: string }[];
}

export interface FreedBytes {
  readonly bytes: number;
  /** Number of blobs. */
  readonly blobs: number;
  /** Manifests that go, with those left without a tag. */
  readonly revisions: readonly { readonly repository: string; readonly hex: string }[];
  /** What could not be read; what it may need is not counted as freed. */
  readonly problems: readonly Problem[];
}

export interface FreedBytesOptions {
  readonly onProgress?: (what: string, done: number, of: number) => void;
}

function byRepository({ repositories, tags, revisions }: DeletionSelection): RepositorySelection[] {
  const whole = new Set(repositories);
  const partial = new Map<string, { tags: string[]; revisions: string[] }>();
  const partOf = (name: string) => {
    const part = partial.get(name) ?? { tags: [], revisions: [] };
    partial.set(name, part);
    return part;
  };
  for (const { repository, tag } of tags) partOf(repository).tags.push(tag);
  for (const { repository, hex } of revisions) partOf(repository).revisions.push(hex);
  return [
    ...[...whole].map((name) => ({ name, isWhole: true, tags: [], revisions: [] })),
    ...[...partial].filter(([name]) => !whole.has(name)).map(([name, part]) => ({ name, isWhole: false, ...part })),
  ];
}

/** Reads every repository that links a blob in question. `team` is one for `catalogTask`. Rejects with a system error. */
export async function freedBytes(
  { root }: Store,
  team: Team,
  selection: DeletionSelection,
  { onProgress }: FreedBytesOptions = {},
): Promise<FreedBytes> {
  const selections = byRepository(selection);
  const found = (
    await team.run(
      "findGone",
      catalogTask.findGone,
      { root, selections },
      {
        count: selections.length,
        onProgress: (done) => onProgress?.("read what is deleted", done, selections.length),
      },
    )
  ).flat();
  const revisions = found.flatMap(({ repository, revisions: hexes }) => hexes.map((hex) => ({ repository, hex })));
  const problems = new Map<string, Problem>();
  const note = (problem: Problem) => problems.set(JSON.stringify(problem), problem);
  for (const each of found) each.problems.forEach(note);

  const shelves = shelvesOf(new Set(found.flatMap(({ blobs }) => blobs)));
  const index = openIndex(shelves);
  if (index.count === 0) return { bytes: 0, blobs: 0, revisions, problems: [...problems.values()] };
  for (const hex of found.flatMap(({ kept }) => kept)) {
    const blob = index.find(hex);
    if (blob >= 0) index.set(blob, REFERENCED);
  }
  const whole = new Set(selection.repositories);
  const repositories = [...walkRepositories(`${root}/${REPOSITORIES}`)]
    .map(({ name }) => name)
    .filter((name) => !whole.has(name));
  const gone = new Map(found.map(({ repository, revisions: hexes }) => [repository, new Set(hexes)]));
  const seen = await team.run(
    "markRemaining",
    catalogTask.markRemaining,
    { root, shelves, repositories, gone },
    {
      count: repositories.length,
      onProgress: (done) => onProgress?.("read what stays", done, repositories.length),
    },
  );
  seen.flat().forEach(note);
  const weights = await team.run(
    "weighUnreferenced",
    catalogTask.weighUnreferenced,
    { root, shelves },
    {
      count: FIRST_BYTES,
      onProgress: (done) => onProgress?.("weigh blobs", done, FIRST_BYTES),
    },
  );
  const bytes = weights.flatMap((weight) => weight.bytes);
  return {
    bytes: bytes.reduce((sum, size) => sum + size, 0),
    blobs: bytes.length,
    revisions,
    problems: [...problems.values()],
  };
}
