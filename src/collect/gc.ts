/**
 * Garbage collection of a store that is in use. What nothing needs is renamed into the trash; after every push that could
 * have been under way has ended, what was pushed meanwhile is looked at and gets back what it needs; only then is the rest
 * purged. Killed anywhere, the next command takes it back or finishes it.
 */
import { lstatSync } from "node:fs";
import { blobFolder, type Store } from "../storage/layout.ts";
import { blobNames } from "../storage/repositories.ts";
import type { Team } from "../storage/team.ts";
import type * as gcTask from "./gc-task.ts";
import { type Problem, requireSight } from "./problems.ts";
import { expired, purgeEntry, type RemoveTree } from "./recover.ts";
import { restorePath } from "./restore.ts";
import { type Survey, surveyStore } from "./survey.ts";
import { sweep } from "./sweep.ts";
import { entryFolder, readEntries, type TrashEntry } from "./trash-entry.ts";
import { setAsideTrees, trashedRepositories } from "./trashed-roots.ts";

export interface GcOptions {
  readonly untagged: boolean;
  readonly dryRun: boolean;
  readonly graceMs: number;
  /** How long what was collected stays in the trash; 0 = purged at the end. */
  readonly keepMs: number;
  /** How long a push of a manifest can be under way; 0 = nothing serves the store. */
  readonly settleMs: number;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly removeTree: RemoveTree;
  /** Empties the registry's cache of blob descriptors; undefined = it has none. */
  readonly flushCaches: (() => Promise<void>) | undefined;
  readonly onProgress: (what: string, done?: number, of?: number) => void;
}

export interface GcReport {
  readonly dryRun: boolean;
  readonly repositories: number;
  readonly blobs: {
    readonly total: number;
    readonly marked: number;
    readonly deletable: number;
    readonly deleted: number;
  };
  readonly manifests: { readonly total: number; readonly deletable: number; readonly deleted: number };
  readonly bytes: { readonly reclaimable: number; readonly reclaimed: number };
  /** Digests, and `repository@digest`. */
  readonly deletable: { readonly blobs: readonly string[]; readonly manifests: readonly string[] };
  /** Blobs and manifests that a push needed after all. */
  readonly restored: number;
  readonly purgedEntries: readonly string[];
  readonly problems: readonly Problem[];
  /** The entry what was collected is kept in. */
  readonly keptIn: string | undefined;
}

/** Blobs that something needs and that an earlier collection still keeps in the trash. */
function reviveNeeded(store: Store, survey: Survey, entries: readonly TrashEntry[]): number {
  const keeping = entries.filter(({ kind, state }) => kind === "gc" && state === "kept");
  let revived = 0;
  for (const { id } of keeping) {
    for (const { unlisted } of survey.marked) {
      for (const hex of unlisted) {
        const path = `${store.root}/${entryFolder(id)}/${blobFolder(hex)}`;
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
        restorePath(store, id, blobFolder(hex));
        revived++;
      }
    }
  }
  return revived;
}

export async function collectGarbage(
  store: Store,
  team: Team,
  task: typeof gcTask,
  options: GcOptions,
): Promise<GcReport> {
  const { dryRun, removeTree, onProgress } = options;
  const startedMs = options.now().getTime();
  const entries = readEntries(store);
  const over = expired(entries, options.now());
  const gone: string[] = [];
  if (!dryRun) {
    for (const entry of over) {
      onProgress(`purge ${entry.kind} ${entry.id}`);
      if (entry.kind === "gc") gone.push(...blobNames(`${store.root}/${entryFolder(entry.id)}`));
      await purgeEntry(store, entry, removeTree);
    }
  }
  const kept = entries.filter((entry) => !over.includes(entry));
  const trashed = trashedRepositories(store, kept);
  const survey = await surveyStore(store, team, task, {
    untagged: options.untagged,
    graceMs: options.graceMs,
    nowMs: startedMs,
    trashed,
    setAside: setAsideTrees(kept),
    onProgress,
  });
  requireSight(survey.problems, "deleted");
  const { hexes, bytes } = survey.collectable;
  const reclaimable = bytes.reduce((sum, size) => sum + size, 0);
  const report: GcReport = {
    dryRun,
    repositories: survey.repositories.length,
    blobs: { total: survey.blobCount, marked: survey.blobCount - hexes.length, deletable: hexes.length, deleted: 0 },
    manifests: { total: survey.revisions, deletable: survey.unneeded.length, deleted: 0 },
    bytes: { reclaimable, reclaimed: 0 },
    deletable: {
      blobs: hexes.map((hex) => `sha256:${hex}`),
      manifests: survey.unneeded.map(({ repository, hex }) => `${repository}@sha256:${hex}`),
    },
    restored: 0,
    purgedEntries: over.map(({ id }) => id),
    problems: survey.problems,
    keptIn: undefined,
  };
  if (dryRun) return report;
  const revived = reviveNeeded(store, survey, kept);
  // What collections keep needs no second look: nobody pushes to it.
  const removed = trashedRepositories(
    store,
    kept.filter(({ kind }) => kind !== "gc"),
  );
  const swept = await sweep(store, team, task, { survey, trashed: removed, startedMs, gone }, options);
  return { ...report, ...swept, restored: swept.restored + revived };
}
