/** What each blob of an index weighs and which repository needs it, in memory that threads share. */
import { lstatSync } from "node:fs";
import { type BlobIndex, FIRST_BYTES, type Shelf } from "../storage/blob-index.ts";
import { blobData } from "../storage/layout.ts";

export interface LedgerMemory {
  /** Bytes a blob, 64 bit floats; UNKNOWN, NOTHING. */
  readonly sizes: SharedArrayBuffer;
  /** Number of the only repository that needs the blob, 32 bit; NOBODY, SEVERAL. */
  readonly owners: SharedArrayBuffer;
}

export const NOBODY = -1;
export const SEVERAL = -2;

/** Not weighed yet; a folder without `data`. */
const UNKNOWN = -1;
const NOTHING = -2;

export function ledgerMemory(shelves: readonly Shelf[]): LedgerMemory {
  const count = shelves.reduce((sum, shelf) => sum + shelf.count, 0);
  const sizes = new SharedArrayBuffer(count * 8);
  const owners = new SharedArrayBuffer(count * 4);
  new Float64Array(sizes).fill(UNKNOWN);
  new Int32Array(owners).fill(NOBODY);
  return { sizes, owners };
}

export interface BlobLedger {
  /** How many blobs there are: their places are 0 … count - 1. */
  readonly count: number;
  /** The place of a blob of the index. */
  placeOf(blob: number): number;
  /** Notes that a repository needs a blob. */
  claim(place: number, repository: number): void;
  ownerOf(place: number): number;
  /** Bytes of a blob's content, looked up once; undefined = it has none. */
  weigh(place: number, blob: number): number | undefined;
  /** What it weighs; 0 when nobody weighed it. */
  weightOf(place: number): number;
}

export function openLedger(root: string, index: BlobIndex, memory: LedgerMemory): BlobLedger {
  const sizes = new Float64Array(memory.sizes);
  const owners = new Int32Array(memory.owners);
  // Numbers of the index have gaps between shelves, places have none.
  const stride = index.numbersOf(1).begin;
  const offsets: number[] = [];
  let count = 0;
  for (let first = 0; first < FIRST_BYTES; first++) {
    const { begin, end } = index.numbersOf(first);
    offsets.push(count - begin);
    count += end - begin;
  }
  return {
    count,
    placeOf: (blob) => blob + (offsets[Math.floor(blob / stride)] as number),
    claim(place, repository) {
      const owner = Atomics.compareExchange(owners, place, NOBODY, repository);
      if (owner !== NOBODY && owner !== repository && owner !== SEVERAL) Atomics.store(owners, place, SEVERAL);
    },
    ownerOf: (place) => owners[place] as number,
    weigh(place, blob) {
      let size = sizes[place] as number;
      if (size === UNKNOWN) {
        // Two threads may both look: they see the same.
        const data = lstatSync(`${root}/${blobData(index.hexOf(blob))}`, { throwIfNoEntry: false });
        size = data?.isFile() === true ? data.size : NOTHING;
        sizes[place] = size;
      }
      return size === NOTHING ? undefined : size;
    },
    weightOf: (place) => Math.max(0, sizes[place] as number),
  };
}
