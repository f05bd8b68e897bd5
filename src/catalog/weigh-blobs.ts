/** The phase that weighs every blob of an index that was marked: an item is a first byte. */
import { FOLLOWED, openIndex, REFERENCED, type Shelf } from "../storage/blob-index.ts";
import { forEachItem } from "../storage/for-each-item.ts";
import type { Phase } from "../storage/team.ts";
import { type LedgerMemory, openLedger } from "./blob-ledger.ts";

export interface WeighBlobsInput {
  readonly root: string;
  readonly shelves: readonly Shelf[];
  readonly ledger: LedgerMemory;
}

interface Sum {
  count: number;
  bytes: number;
}

export interface BlobWeights {
  readonly all: Sum;
  readonly manifests: Sum;
  readonly unneededAmount: Sum;
  /** Numbers in the index of blobs that nothing refers to. */
  readonly unneeded: number[];
}

export const weighBlobs: Phase<WeighBlobsInput, BlobWeights> = function* ({ root, shelves, ledger: memory }, next) {
  const index = openIndex(shelves);
  const ledger = openLedger(root, index, memory);
  const weights: BlobWeights = {
    all: { count: 0, bytes: 0 },
    manifests: { count: 0, bytes: 0 },
    unneededAmount: { count: 0, bytes: 0 },
    unneeded: [],
  };
  const add = (sum: Sum, bytes: number) => {
    sum.count += 1;
    sum.bytes += bytes;
  };
  yield* forEachItem(next, (first) => {
    const { begin, end } = index.numbersOf(first);
    for (let blob = begin; blob < end; blob++) {
      const bytes = ledger.weigh(ledger.placeOf(blob), blob);
      if (bytes === undefined) continue;
      add(weights.all, bytes);
      if (index.has(blob, FOLLOWED)) add(weights.manifests, bytes);
      if (index.has(blob, REFERENCED)) continue;
      add(weights.unneededAmount, bytes);
      weights.unneeded.push(blob);
    }
  });
  return weights;
};
