/** `trash` and `undo`. */
import { purgeEntry, undoEntry } from "../collect/recover.ts";
import type { Conflict } from "../collect/restore.ts";
import { findEntry, readEntries, type TrashEntry } from "../collect/trash-entry.ts";
import type { OperationPorts } from "./ports.ts";
import { changeStore, locateStore, readStore, requireLocal, type StoreFlags } from "./store.ts";

const NO_TRASH = "what was deleted over the registry's API is gone";

export async function listTrash(ports: OperationPorts, flags: StoreFlags): Promise<TrashEntry[]> {
  const data = requireLocal(await locateStore(ports, flags), "trash", NO_TRASH);
  return readStore(ports, data, async ({ store }) => readEntries(store));
}

export interface UndoResult {
  readonly entry: TrashEntry;
  /** Tags that were pushed again since: the new ones stay, the old ones stay in the trash. */
  readonly conflicts: readonly Conflict[];
}

/** Brings back all that one removal, prune, collection or repair took. */
export async function undo(ports: OperationPorts, flags: StoreFlags, id: string): Promise<UndoResult> {
  const target = await locateStore(ports, flags);
  const data = requireLocal(target, "undo", NO_TRASH);
  return changeStore(ports, { ...target, data }, `undo ${id}`, async ({ store, removeTree }) => {
    const entry = findEntry(store, id);
    return { entry, conflicts: await undoEntry(store, entry, removeTree) };
  });
}

/** Empties the trash for good: the entries named, or all of them. */
export async function purgeTrash(
  ports: OperationPorts,
  flags: StoreFlags,
  ids: readonly string[] | undefined,
): Promise<TrashEntry[]> {
  const target = await locateStore(ports, flags);
  const data = requireLocal(target, "trash", NO_TRASH);
  return changeStore(
    ports,
    { ...target, data },
    `trash purge ${ids?.join(" ") ?? "--all"}`,
    async ({ store, removeTree }) => {
      const entries = ids === undefined ? readEntries(store) : ids.map((id) => findEntry(store, id));
      for (const entry of entries) await purgeEntry(store, entry, removeTree);
      return entries;
    },
  );
}
