/** What a removal frees once it is purged and collected. */
import * as catalogTask from "../catalog/catalog-task.ts";
import { freedBytes as weigh } from "../catalog/freed-bytes.ts";
import type { Removed } from "../collect/trash-entry.ts";
import { hexOf } from "../storage/layout.ts";
import type { OpenStore } from "./store.ts";

/** Bytes that only what is removed needs. */
export async function freedBytes(open: OpenStore, removed: readonly Removed[]): Promise<number> {
  const selection = {
    repositories: removed
      .filter(({ tag, digest }) => tag === undefined && digest === undefined)
      .map(({ repository }) => repository),
    tags: removed.flatMap(({ repository, tag }) => (tag === undefined ? [] : [{ repository, tag }])),
    revisions: removed.flatMap(({ repository, tag, digest }) => {
      const hex = tag === undefined && digest !== undefined ? hexOf(digest) : undefined;
      return hex === undefined ? [] : [{ repository, hex }];
    }),
  };
  const { bytes } = await weigh(open.store, open.team(catalogTask), selection);
  return bytes;
}
