/** Moves what is broken into the trash, and back when it turns out that somebody put it right at that moment. */
import { type Dirent, lstatSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import { systemCodeOf } from "../errors.ts";
import { blobData, revisionsFolder, type Store } from "../storage/layout.ts";
import { parseManifest } from "../storage/manifest.ts";
import { entriesOf, namesIn } from "../storage/repositories.ts";
import { isThere, readLink, readSmallFile } from "../storage/small-file.ts";
import type { Given } from "./fsck-finding.ts";
import { hashWhole } from "./fsck-hash.ts";
import { lastWritten } from "./fsck-uploads.ts";
import { restorePath } from "./restore.ts";
import { entryFolder, moveIn } from "./trash-entry.ts";

export interface Aside {
  readonly store: Store;
  /** The entry of the trash. */
  readonly id: string;
  /** Folders known to be there. */
  readonly made: Set<string>;
  /** Paths the entry keeps something of. */
  readonly kept: Set<string>;
  readonly signal: AbortSignal;
}

/** False = it is not there any more. */
function moveAside(aside: Aside, path: string): boolean {
  const { store, id, made } = aside;
  try {
    return moveIn(store, id, path, made);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
  // Some of it was moved before.
  const move = (entry: Dirent) => moveAside(aside, `${path}/${entry.name}`);
  const moved = entriesOf(`${store.root}/${path}`).map(move);
  try {
    rmdirSync(`${store.root}/${path}`);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOTEMPTY" && systemCodeOf(error) !== "ENOENT") throw error;
  }
  return moved.some(Boolean);
}

/** Whether a manifest is linked there; those that were found to be none do not count. */
function hasManifest(root: string, tree: string, repository: string): boolean {
  const revisions = `${tree}/${revisionsFolder(repository)}`;
  return namesIn(revisions).some((hex) => isThere(`${revisions}/${hex}/link`) && isManifest(root, hex));
}

function isManifest(root: string, hex: string): boolean {
  try {
    const content = readSmallFile(`${root}/${blobData(hex)}`);
    if (content === undefined) return false;
    parseManifest(content.toString("latin1"));
    return true;
  } catch {
    return false;
  }
}

/** Whether what was moved is still what was found. */
async function holds({ store, id, signal }: Aside, given: Given): Promise<boolean> {
  const moved = `${store.root}/${entryFolder(id)}`;
  if ("link" in given) {
    const link = lstatSync(`${moved}/${given.link}/link`, { throwIfNoEntry: false });
    if ((link?.mtimeMs ?? 0) !== given.writtenMs) return false;
    return link === undefined || !link.isFile() || readLink(`${moved}/${given.link}`) === given.reads;
  }
  if ("missing" in given) return !isThere(`${store.root}/${blobData(given.missing)}`);
  if ("damaged" in given) {
    const actual = await hashWhole(`${moved}/${blobData(given.damaged)}`, signal);
    return actual !== undefined && actual.hex !== given.damaged;
  }
  if ("withoutData" in given) return !isThere(`${moved}/${given.withoutData}/data`);
  if ("upload" in given) return lastWritten(`${moved}/${given.upload}`) === given.writtenMs;
  return [store.root, moved].every((tree) => !hasManifest(store.root, tree, given.withoutManifests));
}

/** False = nothing was moved, or it went back. */
export async function setAside(aside: Aside, paths: readonly string[], given: Given): Promise<boolean> {
  const moved = paths.filter((path) => moveAside(aside, path));
  if (moved.length === 0) return false;
  if (await holds(aside, given)) {
    for (const path of moved) aside.kept.add(path);
    return true;
  }
  for (const path of moved) restorePath(aside.store, aside.id, path);
  return false;
}

/** Folders a repair may write a link into lie in the store itself, not behind a link somebody made. */
export function isBehindLink(root: string, folder: string): boolean {
  for (let at = folder; at !== "."; at = dirname(at)) {
    if (lstatSync(`${root}/${at}`, { throwIfNoEntry: false })?.isSymbolicLink() === true) return true;
  }
  return false;
}
