/**
 * Entries of the trash, `regctl-trash/<id>/`: what was taken out of the store, at the very path it had there, beside an
 * `entry.json` that says what it is and how far it got. Moving is renaming, so nothing is ever half moved; whatever is
 * killed is known by its state and finished or taken back by the next command.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { RegctlError } from "../errors.ts";
import { type Store, TRASH } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import { readSmallFile } from "../storage/small-file.ts";

/** Append-only: they are in JSON answers and on disk. */
export type TrashKind = "rm-repo" | "rm-tag" | "rm-image" | "prune" | "gc" | "fsck";

/**
 * open: things are being moved in, a killed run is taken back; kept: complete until it expires; restoring, purging: a killed
 * run is finished.
 */
export type TrashState = "open" | "kept" | "restoring" | "purging";

export interface Removed {
  readonly repository: string;
  readonly tag?: string;
  /** Of the manifest; of a blob for what fsck moved. */
  readonly digest?: string;
}

export interface TrashEntry {
  readonly version: 1;
  readonly id: string;
  readonly kind: TrashKind;
  readonly state: TrashState;
  /** RFC 3339. */
  readonly created: string;
  readonly expires: string;
  readonly removed: readonly Removed[];
  /** Bytes that nothing else needs, once it is purged and collected; undefined = not worked out. */
  readonly bytes?: number;
  /** Nothing that was pushed during the removal can still come. */
  readonly isSettled?: boolean;
}

const ID = /^[0-9]{8}-[0-9a-f]{6}$/;
const ENTRY_FILE = "entry.json";

/** Folder of an entry, relative to the store: a store of its own. */
export function entryFolder(id: string): string {
  return `${TRASH}/${id}`;
}

function newId(now: Date): string {
  return `${now.toISOString().slice(0, 10).replaceAll("-", "")}-${randomBytes(3).toString("hex")}`;
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The rename is durable with all that were made before it. */
export function writeEntry(store: Store, entry: TrashEntry): TrashEntry {
  const folder = `${store.root}/${entryFolder(entry.id)}`;
  const descriptor = openSync(`${folder}/${ENTRY_FILE}.new`, "w", 0o600);
  try {
    writeSync(descriptor, JSON.stringify(entry));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${folder}/${ENTRY_FILE}.new`, `${folder}/${ENTRY_FILE}`);
  sync(folder);
  return entry;
}

function parseEntry(id: string, text: string): TrashEntry | undefined {
  try {
    const entry = JSON.parse(text) as TrashEntry;
    return entry.id === id && entry.version === 1 && Array.isArray(entry.removed) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Entries as they are on disk, oldest first; a folder without a readable `entry.json` is left out. */
export function readEntries(store: Store): TrashEntry[] {
  const entries: TrashEntry[] = [];
  for (const id of namesIn(`${store.root}/${TRASH}`)) {
    if (!ID.test(id)) continue;
    const text = readSmallFile(`${store.root}/${entryFolder(id)}/${ENTRY_FILE}`);
    const entry = text === undefined ? undefined : parseEntry(id, text.toString("utf8"));
    if (entry !== undefined) entries.push(entry);
  }
  return entries.sort((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id));
}

/** Begun and killed before anything was moved: no `entry.json` yet. */
export function sweepUnbegun(store: Store): void {
  for (const id of namesIn(`${store.root}/${TRASH}`)) {
    const folder = `${store.root}/${entryFolder(id)}`;
    const isUnbegun = ID.test(id) && namesIn(folder).every((name) => name === `${ENTRY_FILE}.new`);
    if (isUnbegun) rmSync(folder, { recursive: true, force: true });
  }
}

export interface NewEntry {
  readonly kind: TrashKind;
  readonly now: Date;
  /** Milliseconds until it may be purged. */
  readonly keepMs: number;
  readonly removed: readonly Removed[];
}

/** Makes the entry on disk; from then on things may be moved into it. */
export function openEntry(store: Store, { kind, now, keepMs, removed }: NewEntry): TrashEntry {
  mkdirSync(`${store.root}/${TRASH}`, { recursive: true, mode: 0o700 });
  const id = newId(now);
  mkdirSync(`${store.root}/${entryFolder(id)}`, { mode: 0o700 });
  sync(`${store.root}/${TRASH}`);
  const created = now.toISOString();
  const expires = new Date(now.getTime() + keepMs).toISOString();
  return writeEntry(store, { version: 1, id, kind, state: "open", created, expires, removed });
}

/** Moves a folder of the store into the entry; false = it is not there (any more). Made ready for many moves by `made`. */
export function moveIn(store: Store, id: string, path: string, made: Set<string>): boolean {
  const target = `${store.root}/${entryFolder(id)}/${path}`;
  const parent = dirname(target);
  if (!made.has(parent)) {
    if (lstatSync(`${store.root}/${path}`, { throwIfNoEntry: false }) === undefined) return false;
    // As the registry makes them: one of these can become the store's when everything in it is brought back.
    mkdirSync(parent, { recursive: true });
    made.add(parent);
  }
  try {
    renameSync(`${store.root}/${path}`, target);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

export function findEntry(store: Store, id: string): TrashEntry {
  const entries = readEntries(store);
  const found = entries.find((entry) => entry.id === id);
  if (found !== undefined) return found;
  const known = entries.filter(({ state }) => state === "kept").map((entry) => entry.id);
  throw new RegctlError("not-found", `there is no ${JSON.stringify(id)} in the trash`, {
    hint:
      known.length === 0
        ? "the trash is empty"
        : `regctl trash lists what can be brought back: ${known.slice(-3).join(", ")}`,
  });
}
