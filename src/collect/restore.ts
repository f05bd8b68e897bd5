/** Brings things back from the trash without ever writing over what was pushed since. */
import { linkSync, mkdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { systemCodeOf } from "../errors.ts";
import { REPOSITORIES, type Store } from "../storage/layout.ts";
import { entriesOf } from "../storage/repositories.ts";
import { isThere, readLink } from "../storage/small-file.ts";
import { entryFolder } from "./trash-entry.ts";

/** A tag that was pushed again since: the new one stays, the old one stays in the trash. */
export interface Conflict {
  readonly repository: string;
  readonly tag: string;
}

const TAG = new RegExp(`^${REPOSITORIES}/(.+)/_manifests/tags/([^/]+)$`);

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
  }
}

/** A folder takes the place of one that is missing, at once; false = there is one, which keeps its mode and owner. */
function renameFolder(from: string, to: string): boolean {
  if (isThere(to)) return false;
  try {
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") return false;
    throw error;
  }
}

/** A file is never written over: a hard link fails where there is one. */
function restoreFile(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
  }
  unlinkSync(from);
}

function merge(store: Store, entry: string, path: string, conflicts: Conflict[]): void {
  const from = `${store.root}/${entry}/${path}`;
  const to = `${store.root}/${path}`;
  if (renameFolder(from, to)) return;
  const [, repository, tag] = TAG.exec(path) ?? [];
  if (repository !== undefined && tag !== undefined && isThere(`${to}/current/link`)) {
    const old = readLink(`${from}/current`);
    // Without one only a part of the tag was taken.
    if (old !== undefined && old !== readLink(`${to}/current`)) {
      conflicts.push({ repository, tag });
      return;
    }
  }
  for (const each of entriesOf(from).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (each.isDirectory()) merge(store, entry, `${path}/${each.name}`, conflicts);
    else restoreFile(`${from}/${each.name}`, `${to}/${each.name}`);
  }
  removeIfEmpty(from);
}

/** Brings one folder of an entry back to its place; nothing happens when the entry does not have it. */
export function restorePath(store: Store, id: string, path: string): Conflict[] {
  const conflicts: Conflict[] = [];
  if (isThere(`${store.root}/${entryFolder(id)}/${path}`)) merge(store, entryFolder(id), path, conflicts);
  return conflicts;
}

/**
 * Brings everything of an entry back. Blobs come before repositories, and of those layers before revisions before tags (the
 * order of their names), so that no image is seen before it is whole. Killed, it can be done again.
 */
export function restoreEntry(store: Store, id: string): Conflict[] {
  return restorePath(store, id, "docker");
}
