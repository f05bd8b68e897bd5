/** Moves what a removal names to the trash; killed anywhere, the next command takes it back. */
import type { Store } from "../storage/layout.ts";
import { healRepository } from "./heal.ts";
import type { Removal } from "./removal.ts";
import { moveIn, openEntry, type TrashEntry, writeEntry } from "./trash-entry.ts";

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
  const kept = writeEntry(store, { ...entry, state: "kept", ...(bytes === undefined ? {} : { bytes }) });
  if (removal.kind === "rm-repo") for (const { repository } of removal.removed) healRepository(store, repository);
  return kept;
}
