/** What of repositories is in the trash and may come back: the manifests there are as needed as those in the store. */
import { REPOSITORIES, type Store } from "../storage/layout.ts";
import { walkRepositories } from "../storage/repositories.ts";
import { entryFolder, type TrashEntry, type TrashKind } from "./trash-entry.ts";

/** What a repair set aside was broken already. */
const WITHOUT_ROOTS: ReadonlySet<TrashKind> = new Set(["fsck"]);

/** Repositories of which an entry holds something. */
export function trashedNames(store: Store, entry: TrashEntry): string[] {
  return [...walkRepositories(`${store.root}/${entryFolder(entry.id)}/${REPOSITORIES}`)].map(({ name }) => name);
}

/** Folders in the trash by the repository they came from, relative to the store. */
export function trashedRepositories(store: Store, entries: readonly TrashEntry[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const entry of entries) {
    if (WITHOUT_ROOTS.has(entry.kind) || entry.state === "purging") continue;
    const below = `${entryFolder(entry.id)}/${REPOSITORIES}`;
    for (const { name } of walkRepositories(`${store.root}/${below}`)) {
      folders.set(name, [...(folders.get(name) ?? []), `${below}/${name}`]);
    }
  }
  return folders;
}

/** Trees of blobs that collections and repairs keep for a while, relative to the store. */
export function setAsideTrees(entries: readonly TrashEntry[]): string[] {
  return entries.filter(({ kind, state }) => kind === "gc" && state !== "purging").map(({ id }) => entryFolder(id));
}
