/** How large blobs are, asked before another program deletes them. */
import { lstatSync } from "node:fs";
import { setImmediate as breathe } from "node:timers/promises";
import { BLOBS, blobFolder, hexOf, isHex, type Store } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";

/** Bytes by hexadecimal digest. */
export type BlobSizes = Map<string, number>;

/** Adds what `sizes` does not know yet: a blob of a digest has one size for ever. */
export async function addBlobSizes(store: Store, sizes: BlobSizes): Promise<void> {
  for (const first of namesIn(`${store.root}/${BLOBS}`)) {
    const folder = `${store.root}/${BLOBS}/${first}`;
    for (const hex of namesIn(folder)) {
      if (!isHex(hex) || sizes.has(hex)) continue;
      const data = lstatSync(`${folder}/${hex}/data`, { throwIfNoEntry: false });
      if (data !== undefined) sizes.set(hex, data.size);
    }
    await breathe();
  }
}

export interface Weight {
  readonly blobs: number;
  readonly bytes: number;
}

/** Those of these digests that are known, and all of them or only those that are gone. */
export function weighBlobs(
  store: Store,
  sizes: BlobSizes,
  digests: readonly string[],
  { onlyGone }: { readonly onlyGone: boolean },
): Weight {
  let blobs = 0;
  let bytes = 0;
  for (const digest of digests) {
    const hex = hexOf(digest);
    const size = hex === undefined ? undefined : sizes.get(hex);
    if (hex === undefined || size === undefined) continue;
    if (onlyGone && lstatSync(`${store.root}/${blobFolder(hex)}`, { throwIfNoEntry: false }) !== undefined) continue;
    blobs += 1;
    bytes += size;
  }
  return { blobs, bytes };
}
