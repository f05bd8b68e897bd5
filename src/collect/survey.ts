/**
 * What a store holds and what of it nothing needs. Blobs are listed first and marked after: whatever is pushed meanwhile is
 * not on the list, and what is not on the list is never touched.
 */

import { shownName } from "../shown-name.ts";
import { FIRST_BYTES, type Shelf } from "../storage/blob-index.ts";
import { repositoryFolder, type Store } from "../storage/layout.ts";
import { inCatalogOrder, type RepositoryFolder } from "../storage/repositories.ts";
import type { Team } from "../storage/team.ts";
import type { UnneededRevision } from "./mark.ts";
import type { Problem } from "./problems.ts";
import type { RepositoryFolders } from "./repository-reader.ts";
import type {
  findRecentLinks,
  ListedRepositories,
  listBlobs,
  listRepositories,
  MarkedRepository,
  markBlobs,
  Unreferenced,
  weighUnreferenced,
} from "./survey-task.ts";

export interface SurveyOptions {
  readonly untagged: boolean;
  /** Nothing written within the last so many milliseconds is given up; 0 = no grace. */
  readonly graceMs: number;
  readonly nowMs: number;
  /** What of repositories is in the trash, by name. */
  readonly trashed: ReadonlyMap<string, readonly string[]>;
  readonly setAside: readonly string[];
  readonly onProgress: (what: string, done: number, of: number) => void;
}

export interface UnneededManifest extends UnneededRevision {
  readonly repository: string;
}

export interface Survey {
  readonly repositories: readonly RepositoryFolder[];
  readonly shelves: readonly Shelf[];
  readonly blobCount: number;
  readonly revisions: number;
  readonly unneeded: readonly UnneededManifest[];
  readonly marked: readonly MarkedRepository[];
  /** Blobs nothing needs, past the grace period. */
  readonly collectable: Unreferenced;
  readonly problems: readonly Problem[];
}

/** Phases as the team knows them; the functions themselves are loaded with the task. */
export interface SurveyTask {
  readonly taskUrl: string;
  readonly listBlobs: typeof listBlobs;
  readonly listRepositories: typeof listRepositories;
  readonly markBlobs: typeof markBlobs;
  readonly weighUnreferenced: typeof weighUnreferenced;
  readonly findRecentLinks: typeof findRecentLinks;
}

/** Repositories of the store together with what of them is in the trash, and those that are only there. */
export function withTrashed(
  repositories: readonly RepositoryFolder[],
  trashed: ReadonlyMap<string, readonly string[]>,
): RepositoryFolders[] {
  const inStore = new Set(repositories.map(({ name }) => name));
  const all: RepositoryFolders[] = repositories.map(({ name }) => ({
    name,
    folder: repositoryFolder(name),
    trashed: trashed.get(name) ?? [],
  }));
  for (const [name, folders] of trashed) {
    if (!inStore.has(name)) all.push({ name, folder: undefined, trashed: folders });
  }
  return all;
}

function keepPastGrace(found: Unreferenced, isKept: (hex: string, modifiedMs: number) => boolean): Unreferenced {
  const kept: Unreferenced = { hexes: [], bytes: [], modifiedMs: [], withoutData: found.withoutData };
  for (const [at, hex] of found.hexes.entries()) {
    const modifiedMs = found.modifiedMs[at] as number;
    if (!isKept(hex, modifiedMs)) continue;
    kept.hexes.push(hex);
    kept.bytes.push(found.bytes[at] as number);
    kept.modifiedMs.push(modifiedMs);
  }
  return kept;
}

function joinUnreferenced(parts: readonly Unreferenced[]): Unreferenced {
  return {
    hexes: parts.flatMap(({ hexes }) => hexes),
    bytes: parts.flatMap(({ bytes }) => bytes),
    modifiedMs: parts.flatMap(({ modifiedMs }) => modifiedMs),
    withoutData: parts.flatMap(({ withoutData }) => withoutData),
  };
}

/**
 * The repositories of a store in the catalog's order, level by level, so that threads share the work: with nothing in memory
 * every folder is a wait for the disk.
 */
export async function findRepositories(
  { root }: Store,
  team: Team,
  task: SurveyTask,
  onProgress: SurveyOptions["onProgress"],
): Promise<{ readonly repositories: readonly RepositoryFolder[]; readonly links: readonly Problem[] }> {
  const levels: ListedRepositories[] = [];
  for (let names = [""]; names.length > 0; ) {
    const level = await team.run(
      "listRepositories",
      task.listRepositories,
      { root, names },
      { count: names.length, onProgress: (done) => onProgress("list repositories", done, names.length) },
    );
    levels.push(...level);
    names = level.flatMap(({ below }) => below);
  }
  const links = levels
    .flatMap((level) => level.links)
    .map((path): Problem => {
      const shown = shownName(path.slice(root.length + 1));
      const message = `${shown} is a link: the registry serves what it leads to, which is not looked at here`;
      return { kind: "not-a-file", path: shown, message };
    });
  return { repositories: inCatalogOrder(levels.flatMap(({ repositories }) => repositories)), links };
}

export async function surveyStore(store: Store, team: Team, task: SurveyTask, options: SurveyOptions): Promise<Survey> {
  const { root } = store;
  const { graceMs, nowMs, untagged, setAside, onProgress } = options;
  const youngerThan = graceMs === 0 ? Number.POSITIVE_INFINITY : nowMs - graceMs;
  const shelves = (
    await team.run(
      "listBlobs",
      task.listBlobs,
      { root },
      {
        count: FIRST_BYTES,
        onProgress: (done) => onProgress("list blobs", done, FIRST_BYTES),
      },
    )
  ).flat();
  const { repositories, links } = await findRepositories(store, team, task, onProgress);
  const folders = withTrashed(repositories, options.trashed);
  const marks = await team.run(
    "markBlobs",
    task.markBlobs,
    { root, shelves, repositories: folders, untagged, youngerThan, setAside },
    { count: folders.length, onProgress: (done) => onProgress("mark repositories", done, folders.length) },
  );
  const marked = marks.flatMap((mark) => mark.marked);
  const unreferenced = joinUnreferenced(
    await team.run(
      "weighUnreferenced",
      task.weighUnreferenced,
      { root, shelves },
      {
        count: FIRST_BYTES,
        onProgress: (done) => onProgress("weigh blobs", done, FIRST_BYTES),
      },
    ),
  );
  const recent = new Set<string>();
  if (graceMs > 0 && unreferenced.hexes.length > 0) {
    const withLayers = repositories.filter(({ parts }) => parts.includes("_layers"));
    const links = await team.run(
      "findRecentLinks",
      task.findRecentLinks,
      { root, shelves, folders: withLayers.map(({ name }) => repositoryFolder(name)), since: youngerThan },
      { count: withLayers.length, onProgress: (done) => onProgress("look for uploads", done, withLayers.length) },
    );
    for (const { recent: hexes } of links) for (const hex of hexes) recent.add(hex);
  }
  return {
    repositories,
    shelves,
    blobCount: shelves.reduce((sum, { count }) => sum + count, 0) - unreferenced.withoutData.length,
    revisions: marks.reduce((sum, mark) => sum + mark.revisions, 0),
    unneeded: marked.flatMap(({ name, unneeded }) => unneeded.map((revision) => ({ repository: name, ...revision }))),
    marked,
    collectable:
      graceMs === 0
        ? unreferenced
        : keepPastGrace(unreferenced, (hex, modifiedMs) => modifiedMs < youngerThan && !recent.has(hex)),
    problems: [...links, ...marked.flatMap(({ problems }) => problems)],
  };
}
