/** What the trash still owes: what a killed command began is taken back or finished, what has expired is purged. */
import type { Store } from "../storage/layout.ts";
import { healRepository } from "./heal.ts";
import { restoreEntry } from "./restore.ts";
import { reuniteRepository } from "./reunite.ts";
import { entryFolder, readEntries, sweepUnbegun, type TrashEntry, writeEntry } from "./trash-entry.ts";
import { trashedNames } from "./trashed-roots.ts";

/** Removes a folder and everything below it, without following links that are put in its way meanwhile. */
export type RemoveTree = (path: string) => Promise<void>;

/** Removes an entry for good. Once it says so, a killed purge is finished, never half brought back. */
export async function purgeEntry(store: Store, entry: TrashEntry, removeTree: RemoveTree): Promise<void> {
  if (entry.state !== "purging") writeEntry(store, { ...entry, state: "purging" });
  const folder = `${store.root}/${entryFolder(entry.id)}`;
  // The file that says so goes last.
  await removeTree(`${folder}/docker`);
  await removeTree(folder);
}

/** Empties an entry back into the store; what was pushed again since stays, and its old tag in the entry. */
export async function undoEntry(store: Store, entry: TrashEntry, removeTree: RemoveTree) {
  const restoring = writeEntry(store, { ...entry, state: "restoring" });
  const repositories = trashedNames(store, entry);
  const conflicts = restoreEntry(store, entry.id);
  const others = readEntries(store).filter(({ id, state }) => id !== entry.id && state === "kept");
  for (const repository of repositories) {
    reuniteRepository(store, repository, others);
    healRepository(store, repository);
  }
  if (conflicts.length === 0) await purgeEntry(store, restoring, removeTree);
  else {
    const isLeft = new Set(conflicts.map(({ repository, tag }) => `${repository}:${tag}`));
    const removed = entry.removed.filter(({ repository, tag }) => isLeft.has(`${repository}:${tag}`));
    writeEntry(store, { ...entry, state: "kept", removed: removed.length > 0 ? removed : conflicts });
  }
  return conflicts;
}

/** So long a push can be under way that began before a removal. */
const UNDER_WAY_MS = 10_000;

/** What was pushed while something was removed, and was stored after that: it must be whole. Looked at until nothing can come. */
function settle(store: Store, entry: TrashEntry, now: Date): void {
  const { kind, removed } = entry;
  const tookManifests = kind === "rm-repo" || kind === "rm-image" || kind === "prune";
  if (entry.isSettled === true || entry.state !== "kept" || !tookManifests) return;
  for (const repository of new Set(removed.map((one) => one.repository))) {
    if (kind === "rm-repo") healRepository(store, repository);
    else reuniteRepository(store, repository, [entry]);
  }
  if (Math.abs(now.getTime() - Date.parse(entry.created)) < UNDER_WAY_MS) return;
  try {
    writeEntry(store, { ...entry, isSettled: true });
  } catch {
    // A full disk, say, which must not keep anybody from making room: the next command looks again.
  }
}

/** Finishes or takes back what killed commands left. The caller holds the store's lock. */
export async function recoverTrash(
  store: Store,
  removeTree: RemoveTree,
  now = new Date(),
): Promise<{ readonly recovered: string[] }> {
  sweepUnbegun(store);
  const recovered: string[] = [];
  for (const entry of readEntries(store)) {
    if (entry.state === "kept") continue;
    if (entry.state === "purging") await purgeEntry(store, entry, removeTree);
    else await undoEntry(store, entry, removeTree);
    recovered.push(`${entry.kind} ${entry.id}`);
  }
  for (const entry of readEntries(store)) settle(store, entry, now);
  return { recovered };
}

/** Entries whose time is over. */
export function expired(entries: readonly TrashEntry[], now: Date): TrashEntry[] {
  return entries.filter((entry) => Date.parse(entry.expires) <= now.getTime());
}
