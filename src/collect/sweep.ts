/** The part of a collection that changes the store: set aside, settle, look again, give back, purge. */
import { setTimeout as delay } from "node:timers/promises";
import { byFirstByte, FIRST_BYTES, openIndex, REFERENCED, type Shelf, shelvesOf } from "../storage/blob-index.ts";
import { blobFolder, repositoryFolder, revisionsFolder, type Store } from "../storage/layout.ts";
import type { Team } from "../storage/team.ts";
import type { GcOptions, GcReport } from "./gc.ts";
import type * as gcTask from "./gc-task.ts";
import type { UnneededRevision } from "./mark.ts";
import { isBlinding } from "./problems.ts";
import { purgeEntry } from "./recover.ts";
import { restorePath } from "./restore.ts";
import { findRepositories, type Survey, withTrashed } from "./survey.ts";
import { entryFolder, moveIn, openEntry, type TrashEntry, writeEntry } from "./trash-entry.ts";

export interface SweepInput {
  readonly survey: Survey;
  readonly trashed: ReadonlyMap<string, readonly string[]>;
  /** When the survey began, in ms since 1970. */
  readonly startedMs: number;
  /** Blobs (hexadecimal) purged before, whose links are still there. */
  readonly gone: readonly string[];
}

/** Clocks of files are coarser than ours, and an upload begun just before is as good as one begun after. */
const CLOCK_TOLERANCE_MS = 2000;

function byRepository(survey: Survey): Map<string, UnneededRevision[]> {
  const map = new Map<string, UnneededRevision[]>();
  for (const revision of survey.unneeded) {
    const others = map.get(revision.repository);
    if (others === undefined) map.set(revision.repository, [revision]);
    else others.push(revision);
  }
  return map;
}

/** Waits as long as a push of a manifest can be under way. */
async function settle({ settleMs, signal, onProgress }: GcOptions): Promise<void> {
  const until = performance.now() + settleMs;
  for (let left = settleMs; left > 0; left = until - performance.now()) {
    onProgress(`let pushes under way end: ${Math.ceil(left / 1000)} s`);
    await delay(Math.min(left, 1000), undefined, { signal });
  }
}

export async function sweep(
  store: Store,
  team: Team,
  task: typeof gcTask,
  input: SweepInput,
  options: GcOptions,
): Promise<Pick<GcReport, "blobs" | "manifests" | "bytes" | "restored" | "keptIn">> {
  const { survey } = input;
  const { hexes, bytes } = survey.collectable;
  const { onProgress } = options;
  const revisions = byRepository(survey);
  const aside = shelvesOf([...hexes, ...input.gone]);
  let entry: TrashEntry | undefined;
  let givenBack = { blobs: new Set<string>(), manifests: 0 };
  if (hexes.length + survey.unneeded.length > 0) {
    entry = openEntry(store, { kind: "gc", now: options.now(), keepMs: options.keepMs, removed: [] });
    await setAside(store, team, task, entry, survey, options);
    await options.flushCaches?.();
    await settle(options);
    givenBack = await giveBack(store, team, task, entry, { ...input, aside, revisions }, options);
  }
  const deleted = hexes.filter((hex) => !givenBack.blobs.has(hex));
  const size = new Map(hexes.map((hex, at) => [hex, bytes[at] as number]));
  const reclaimed = deleted.reduce((sum, hex) => sum + (size.get(hex) as number), 0);
  const isKept = options.keepMs > 0 && entry !== undefined;
  if (isKept && entry !== undefined) writeEntry(store, { ...entry, state: "kept", bytes: reclaimed });
  else {
    if (entry !== undefined) entry = writeEntry(store, { ...entry, state: "purging" });
    await removeLinks(store, team, task, aside, revisions, onProgress);
    if (entry !== undefined) {
      onProgress("purge");
      await purgeEntry(store, entry, options.removeTree);
    }
  }
  const manifests = survey.unneeded.length;
  return {
    blobs: {
      total: survey.blobCount,
      marked: survey.blobCount - hexes.length,
      deletable: hexes.length,
      deleted: deleted.length,
    },
    manifests: { total: survey.revisions, deletable: manifests, deleted: manifests - givenBack.manifests },
    bytes: { reclaimable: [...size.values()].reduce((sum, each) => sum + each, 0), reclaimed },
    restored: givenBack.blobs.size + givenBack.manifests,
    keptIn: isKept ? entry?.id : undefined,
  };
}

async function setAside(
  store: Store,
  team: Team,
  task: typeof gcTask,
  entry: TrashEntry,
  survey: Survey,
  { onProgress }: GcOptions,
): Promise<void> {
  const made = new Set<string>();
  for (const { repository, hex } of survey.unneeded) {
    moveIn(store, entry.id, `${revisionsFolder(repositoryFolder(repository))}/${hex}`, made);
  }
  await team.run(
    "setBlobsAside",
    task.setBlobsAside,
    { root: store.root, entry: entryFolder(entry.id), blobs: byFirstByte(survey.collectable.hexes) },
    { count: FIRST_BYTES, onProgress: (done) => onProgress("set blobs aside", done, FIRST_BYTES) },
  );
}

interface GiveBackInput extends SweepInput {
  readonly aside: readonly Shelf[];
  readonly revisions: ReadonlyMap<string, readonly UnneededRevision[]>;
}

/** Looks at what was pushed since the survey and puts back what that needs; what cannot be read puts everything back. */
async function giveBack(
  store: Store,
  team: Team,
  task: typeof gcTask,
  entry: TrashEntry,
  input: GiveBackInput,
  { onProgress }: GcOptions,
): Promise<{ blobs: Set<string>; manifests: number }> {
  const { survey, aside, revisions, startedMs } = input;
  const { repositories: inStore } = await findRepositories(store, team, task, onProgress);
  const repositories = withTrashed(inStore, input.trashed);
  const rechecks = (
    await team.run(
      "recheckNeeds",
      task.recheckNeeds,
      {
        root: store.root,
        entry: entryFolder(entry.id),
        known: survey.shelves,
        aside,
        repositories,
        revisions,
        since: startedMs - CLOCK_TOLERANCE_MS,
      },
      { count: repositories.length, onProgress: (done) => onProgress("look again", done, repositories.length) },
    )
  ).flat();
  const isBlind = rechecks.some(({ problems }) => problems.some(isBlinding));
  const index = openIndex(aside);
  const blobs = new Set<string>();
  for (const hex of survey.collectable.hexes) {
    const blob = index.find(hex);
    if (isBlind) index.set(blob, REFERENCED);
    if (!index.has(blob, REFERENCED)) continue;
    restorePath(store, entry.id, blobFolder(hex));
    blobs.add(hex);
  }
  const needed = isBlind
    ? survey.unneeded
    : rechecks.flatMap(({ repository, revisions: hexes }) => hexes.map((hex) => ({ repository, hex })));
  for (const { repository, hex } of needed) {
    restorePath(store, entry.id, `${revisionsFolder(repositoryFolder(repository))}/${hex}`);
  }
  return { blobs, manifests: needed.length };
}

async function removeLinks(
  store: Store,
  team: Team,
  task: typeof gcTask,
  gone: readonly Shelf[],
  revisions: ReadonlyMap<string, readonly UnneededRevision[]>,
  onProgress: GcOptions["onProgress"],
): Promise<void> {
  if (gone.length === 0 && revisions.size === 0) return;
  const found = await findRepositories(store, team, task, onProgress);
  const repositories = found.repositories.map(({ name }) => ({
    folder: repositoryFolder(name),
    revisions: (revisions.get(name) ?? []).map(({ hex }) => hex),
  }));
  await team.run(
    "removeDeadLinks",
    task.removeDeadLinks,
    { root: store.root, gone, repositories },
    {
      count: repositories.length,
      onProgress: (done) => onProgress("remove dead links", done, repositories.length),
    },
  );
}
