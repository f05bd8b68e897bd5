/**
 * Every blob of a store with a byte of marks, in memory that threads share. Digests are spread evenly, so a shelf a first
 * byte, each with a table of its own, can be filled by different threads without locks. Marks are only ever set.
 */
import { isHex } from "./layout.ts";

/** Blobs whose digest begins with one byte: `count` digests of 32 bytes, a hash table of them, a byte of marks each. */
export interface Shelf {
  readonly first: number;
  readonly count: number;
  /** Digests, then hash slots (32 bit, number of the blob + 1), then marks. */
  readonly memory: SharedArrayBuffer;
}

export const REFERENCED = 1;
/** The manifest in this blob was read and what it refers to is marked. */
export const FOLLOWED = 2;
/** That manifest is an index: wherever it is, its manifests are needed as well. */
export const INDEX = 4;

const DIGEST_BYTES = 32;
const WORDS = DIGEST_BYTES / 4;
/** A blob's number: its shelf's first byte, then its place there. */
const SHELF_STRIDE = 2 ** 24;

function slotCount(count: number): number {
  let slots = 4;
  while (slots < count * 2) slots *= 2;
  return slots;
}

/** The names in `blobs/sha256/<first>` that are digests with that first byte, as a shelf. */
export function fillShelf(first: number, names: readonly string[]): Shelf {
  const prefix = first.toString(16).padStart(2, "0");
  const valid = names.filter((name) => name.length === DIGEST_BYTES * 2 && name.startsWith(prefix) && isHex(name));
  const count = valid.length;
  const slots = slotCount(count);
  const memory = new SharedArrayBuffer(count * DIGEST_BYTES + slots * 4 + count);
  const bytes = Buffer.from(memory, 0, count * DIGEST_BYTES);
  const words = new Uint32Array(memory, 0, count * WORDS);
  const table = new Uint32Array(memory, count * DIGEST_BYTES, slots);
  for (let index = 0; index < count; index++) {
    bytes.write(valid[index] as string, index * DIGEST_BYTES, "hex");
    let slot = (words[index * WORDS + 1] as number) & (slots - 1);
    while (table[slot] !== 0) slot = (slot + 1) & (slots - 1);
    table[slot] = index + 1;
  }
  return { first, count, memory };
}

/** Number of shelves a store can have, and of items a phase over them has. */
export const FIRST_BYTES = 256;

/** Digests (hexadecimal) by their first byte; every byte has its list. */
export function byFirstByte(hexes: Iterable<string>): string[][] {
  const lists: string[][] = Array.from({ length: FIRST_BYTES }, () => []);
  for (const hex of hexes) lists[Number.parseInt(hex.slice(0, 2), 16)]?.push(hex);
  return lists;
}

/** An index of these blobs alone; nothing is read. */
export function shelvesOf(hexes: Iterable<string>): Shelf[] {
  return byFirstByte(hexes).flatMap((names, first) => (names.length === 0 ? [] : [fillShelf(first, names)]));
}

interface OpenShelf {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  readonly table: Uint32Array;
  readonly marks: Uint8Array;
}

function open({ count, memory }: Shelf): OpenShelf {
  const slots = slotCount(count);
  return {
    bytes: Buffer.from(memory, 0, count * DIGEST_BYTES),
    words: new Uint32Array(memory, 0, count * WORDS),
    table: new Uint32Array(memory, count * DIGEST_BYTES, slots),
    marks: new Uint8Array(memory, count * DIGEST_BYTES + slots * 4, count),
  };
}

export interface BlobIndex {
  /** Number of blobs. */
  readonly count: number;
  /** Number of the blob with this digest (64 hexadecimal digits), or -1. */
  find(hex: string): number;
  has(blob: number, mark: number): boolean;
  set(blob: number, mark: number): void;
  /** The blobs of one shelf, in the order of their numbers. */
  numbersOf(first: number): { readonly begin: number; readonly end: number };
  hexOf(blob: number): string;
}

/** The same blobs and marks, seen from any thread that was handed the shelves. */
export function openIndex(shelves: readonly Shelf[]): BlobIndex {
  const opened: (OpenShelf | undefined)[] = [];
  const counts = new Array<number>(256).fill(0);
  for (const shelf of shelves) {
    opened[shelf.first] = open(shelf);
    counts[shelf.first] = shelf.count;
  }
  const sought = Buffer.alloc(DIGEST_BYTES);
  const soughtWords = new Uint32Array(sought.buffer, sought.byteOffset, WORDS);
  const shelfOf = (blob: number) => opened[Math.floor(blob / SHELF_STRIDE)] as OpenShelf;
  return {
    count: counts.reduce((sum, count) => sum + count, 0),
    find(hex) {
      sought.write(hex, 0, "hex");
      const first = sought[0] as number;
      const shelf = opened[first];
      if (shelf === undefined) return -1;
      const { table, words } = shelf;
      const mask = table.length - 1;
      for (let slot = (soughtWords[1] as number) & mask; ; slot = (slot + 1) & mask) {
        const entry = table[slot] as number;
        if (entry === 0) return -1;
        const at = (entry - 1) * WORDS;
        let word = 0;
        while (word < WORDS && words[at + word] === soughtWords[word]) word++;
        if (word === WORDS) return first * SHELF_STRIDE + entry - 1;
      }
    },
    has: (blob, mark) => ((shelfOf(blob).marks[blob % SHELF_STRIDE] as number) & mark) !== 0,
    // Atomic: a lost mark would be a lost image.
    set: (blob, mark) => void Atomics.or(shelfOf(blob).marks, blob % SHELF_STRIDE, mark),
    numbersOf: (first) => ({ begin: first * SHELF_STRIDE, end: first * SHELF_STRIDE + (counts[first] as number) }),
    hexOf(blob) {
      const at = (blob % SHELF_STRIDE) * DIGEST_BYTES;
      return shelfOf(blob).bytes.toString("hex", at, at + DIGEST_BYTES);
    },
  };
}
