/**
 * Manifests whose layers are not linked: clients would see the image and not get its layers. A push that was under way while
 * its repository was moved to the trash leaves such a manifest, and so does a manifest that comes back to a repository that
 * was removed since. The links are written again.
 */
import {
  blobData,
  hexOf,
  isHex,
  layersFolder,
  repositoryFolder,
  revisionsFolder,
  type Store,
} from "../storage/layout.ts";
import { type ManifestReferences, parseManifest } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import { isThere, readSmallFile } from "../storage/small-file.ts";
import { addLink } from "./add-link.ts";

/** undefined = not there, or not to be read, which is for others to judge: collecting and fsck name it. */
export function referencesOf(store: Store, hex: string): ManifestReferences | undefined {
  try {
    const content = readSmallFile(`${store.root}/${blobData(hex)}`);
    return content === undefined ? undefined : parseManifest(content.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Links the layers that manifests of a repository need and the store has: the registry had seen each of them linked there. */
export function healRepository(store: Store, repository: string): number {
  const folder = repositoryFolder(repository);
  let healed = 0;
  for (const revision of namesIn(`${store.root}/${revisionsFolder(folder)}`)) {
    if (!isHex(revision) || !isThere(`${store.root}/${revisionsFolder(folder)}/${revision}/link`)) continue;
    for (const digest of referencesOf(store, revision)?.blobs ?? []) {
      const hex = hexOf(digest);
      if (hex === undefined || !isThere(`${store.root}/${blobData(hex)}`)) continue;
      if (addLink(`${store.root}/${layersFolder(folder)}/${hex}`, hex)) healed++;
    }
  }
  return healed;
}
