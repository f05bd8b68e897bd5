/**
 * Manifests in the trash that something in their repository needs: an index or a tag that was pushed while they were removed,
 * or one that came back after they had gone with another removal. They come back.
 */
import { blobFolder, hexOf, isHex, repositoryFolder, revisionsFolder, type Store } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import { isThere } from "../storage/small-file.ts";
import { referencesOf } from "./heal.ts";
import { restorePath } from "./restore.ts";
import { tagTargets } from "./tag-targets.ts";
import { entryFolder, type TrashEntry } from "./trash-entry.ts";

/** Hexadecimal digests of what the tags and indexes of a repository point at. */
function neededBy(store: Store, folder: string): Set<string> {
  const needed = new Set(tagTargets(store.root, folder));
  for (const revision of namesIn(`${store.root}/${revisionsFolder(folder)}`)) {
    if (!isHex(revision) || !isThere(`${store.root}/${revisionsFolder(folder)}/${revision}/link`)) continue;
    for (const child of referencesOf(store, revision)?.children ?? []) {
      const hex = hexOf(child);
      if (hex !== undefined) needed.add(hex);
    }
  }
  return needed;
}

/** A collection keeps the blobs of its manifests beside them. */
function restoreBlobs(store: Store, id: string, hex: string): void {
  restorePath(store, id, blobFolder(hex));
  const { blobs = [], children = [] } = referencesOf(store, hex) ?? {};
  for (const digest of [...blobs, ...children]) {
    const blob = hexOf(digest);
    if (blob !== undefined) restorePath(store, id, blobFolder(blob));
  }
}

/** Resolves what a repository needs from these entries; gives back the hexadecimal digests of the manifests that returned. */
export function reuniteRepository(store: Store, repository: string, entries: readonly TrashEntry[]): string[] {
  const folder = repositoryFolder(repository);
  const holders = entries.filter(
    ({ id, kind }) => kind !== "fsck" && isThere(`${store.root}/${entryFolder(id)}/${revisionsFolder(folder)}`),
  );
  const returned: string[] = [];
  // What returns may be an index that needs more.
  for (let before = -1; holders.length > 0 && before !== returned.length; ) {
    before = returned.length;
    for (const hex of neededBy(store, folder)) {
      const path = `${revisionsFolder(folder)}/${hex}`;
      if (isThere(`${store.root}/${path}/link`)) continue;
      const holder = holders.find(({ id }) => isThere(`${store.root}/${entryFolder(id)}/${path}/link`));
      if (holder === undefined) continue;
      if (holder.kind === "gc") restoreBlobs(store, holder.id, hex);
      restorePath(store, holder.id, path);
      returned.push(hex);
    }
  }
  return returned;
}
