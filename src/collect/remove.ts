/** Moves what a removal names to the trash; killed anywhere, the next command takes it back. */
import { digestOf, repositoryFolder, type Store, tagsFolder } from "../storage/layout.ts";
import { readLink } from "../storage/small-file.ts";
import { healRepository } from "./heal.ts";
import type { Removal } from "./removal.ts";
import { restorePath } from "./restore.ts";
import { reuniteRepository } from "./reunite.ts";
import { entryFolder, moveIn, openEntry, type Removed, type TrashEntry, writeEntry } from "./trash-entry.ts";

export interface RemoveOptions {
  readonly now: Date;
  /** How long it can be brought back, in ms. */
  readonly keepMs: number;
  readonly bytes: number | undefined;
  readonly signal: AbortSignal;
}

export function moveToTrash(store: Store, removal: Removal, options: RemoveOptions): TrashEntry {
  const { now, keepMs, bytes, signal } = options;
  const entry = openEntry(store, { kind: removal.kind, now, keepMs, removed: removal.removed });
  const made = new Set<string>();
  for (const path of removal.paths) {
    signal.throwIfAborted();
    moveIn(store, entry.id, path, made);
  }
  const removed = removal.kind === "rm-repo" ? removal.removed : giveBackNew(store, entry);
  const kept = writeEntry(store, { ...entry, state: "kept", removed, ...(bytes === undefined ? {} : { bytes }) });
  if (removal.kind === "rm-repo") for (const { repository } of removal.removed) healRepository(store, repository);
  return kept;
}

/** What was decided about one manifest must not take a tag that was pushed to another meanwhile, nor a part of a new index. */
function giveBackNew(store: Store, entry: TrashEntry): Removed[] {
  const returned = new Set<string>();
  for (const { repository, tag, digest } of entry.removed) {
    if (tag === undefined || digest === undefined || entry.kind === "rm-tag") continue;
    const path = `${tagsFolder(repositoryFolder(repository))}/${tag}`;
    const now = readLink(`${store.root}/${entryFolder(entry.id)}/${path}/current`);
    if (now === undefined || now === "" || now === digest) continue;
    restorePath(store, entry.id, path);
    returned.add(`${repository}:${tag}`);
  }
  for (const repository of new Set(entry.removed.map((one) => one.repository))) {
    for (const hex of reuniteRepository(store, repository, [entry])) returned.add(`${repository}@${digestOf(hex)}`);
  }
  return entry.removed.filter(
    ({ repository, tag, digest }) =>
      !returned.has(tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`),
  );
}
