/** The phases of a collection that change the store, shared by threads like those of a survey. */

import { lstatSync, mkdirSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { systemCodeOf } from "../errors.ts";
import { openIndex, REFERENCED, type Shelf } from "../storage/blob-index.ts";
import { BLOBS, blobData, blobFolder, isHex, layersFolder, revisionsFolder, tagsFolder } from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import { isThere } from "../storage/small-file.ts";
import type { Phase } from "../storage/team.ts";
import { addLink } from "./add-link.ts";
import type { UnneededRevision } from "./mark.ts";
import type { Problem } from "./problems.ts";
import { recheckRepository } from "./recheck.ts";
import type { RepositoryFolders } from "./repository-reader.ts";

export * from "./survey-task.ts";
export const taskUrl = import.meta.url;

export interface SetAsideInput {
  readonly root: string;
  /** The entry of the trash, relative to the root. */
  readonly entry: string;
  /** Blobs (hexadecimal) by the first byte of their digest. */
  readonly blobs: readonly (readonly string[])[];
}

/** Renames blobs into the trash; an item is a first byte. Gives back those that were there. */
export const setBlobsAside: Phase<SetAsideInput, string[]> = function* ({ root, entry, blobs }, next) {
  const moved: string[] = [];
  for (let first = next(); first >= 0; first = next()) {
    const hexes = blobs[first] as readonly string[];
    if (hexes.length > 0)
      mkdirSync(`${root}/${entry}/${BLOBS}/${first.toString(16).padStart(2, "0")}`, { recursive: true });
    for (const hex of hexes) {
      if (renameIfThere(`${root}/${blobFolder(hex)}`, `${root}/${entry}/${blobFolder(hex)}`)) moved.push(hex);
    }
    yield;
  }
  return moved;
};

function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}

export interface RecheckInput {
  readonly root: string;
  readonly entry: string;
  /** Blobs as they were listed before, with their marks: what was followed then needs no second look. */
  readonly known: readonly Shelf[];
  /** The blobs that were set aside; those found to be needed get marked. */
  readonly aside: readonly Shelf[];
  readonly repositories: readonly RepositoryFolders[];
  /** Manifests set aside, by repository. */
  readonly revisions: ReadonlyMap<string, readonly UnneededRevision[]>;
  /** Layer links written then or later (ms since 1970) announce a manifest. */
  readonly since: number;
}

export interface Recheck {
  readonly repository: string;
  /** Manifests set aside that are needed after all, hexadecimal. */
  readonly revisions: readonly string[];
  readonly problems: readonly Problem[];
}

/** Looks for everything pushed since the survey that needs what was set aside; an item is a repository. */
export const recheckNeeds: Phase<RecheckInput, Recheck[]> = function* (input, next) {
  const known = openIndex(input.known);
  const aside = openIndex(input.aside);
  const found: Recheck[] = [];
  for (let item = next(); item >= 0; item = next()) {
    const repository = input.repositories[item] as RepositoryFolders;
    const setAside = input.revisions.get(repository.name) ?? [];
    const recheck = recheckRepository(repository, { ...input, known, aside, setAside });
    if (recheck.revisions.length + recheck.problems.length > 0) found.push({ repository: repository.name, ...recheck });
    yield;
  }
  return found;
};

export interface LinkRemovalInput {
  readonly root: string;
  /** Blobs that are gone, or about to be: those of them that are marked stayed. */
  readonly gone: readonly Shelf[];
  readonly repositories: readonly { readonly folder: string; readonly revisions: readonly string[] }[];
}

function removeLink(folder: string): boolean {
  try {
    unlinkSync(`${folder}/link`);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
  }
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** Removes links of layers, and of former targets of tags, to blobs and manifests that are gone; an item is a repository. */
export const removeDeadLinks: Phase<LinkRemovalInput, number> = function* ({ root, gone, repositories }, next) {
  const index = openIndex(gone);
  let removed = 0;
  for (let item = next(); item >= 0; item = next()) {
    const { folder, revisions } = repositories[item] as LinkRemovalInput["repositories"][number];
    const layers = `${root}/${layersFolder(folder)}`;
    for (const hex of namesIn(layers)) {
      if (!isHex(hex)) continue;
      const blob = index.find(hex);
      if (blob < 0 || index.has(blob, REFERENCED)) continue;
      // Uploaded again since.
      if (isThere(`${root}/${blobData(hex)}`)) continue;
      if (removeLink(`${layers}/${hex}`)) removed++;
      // Uploaded in that very moment: blobs come before their links, so what was removed may have been the new one.
      if (isThere(`${root}/${blobData(hex)}`)) addLink(`${layers}/${hex}`, hex);
    }
    if (revisions.length > 0) {
      for (const tag of namesIn(`${root}/${tagsFolder(folder)}`)) {
        const targets = `${root}/${tagsFolder(folder)}/${tag}/index/sha256`;
        for (const hex of revisions) {
          if (lstatSync(`${root}/${revisionsFolder(folder)}/${hex}`, { throwIfNoEntry: false }) !== undefined) continue;
          if (
            lstatSync(`${targets}/${hex}`, { throwIfNoEntry: false }) !== undefined &&
            removeLink(`${targets}/${hex}`)
          )
            removed++;
        }
      }
    }
    yield;
  }
  return removed;
};
