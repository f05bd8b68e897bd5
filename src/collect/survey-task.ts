/** The phases of a survey that threads share: each takes prefixes or repositories and gives back what it found there. */
import { lstatSync } from "node:fs";
import { fillShelf, openIndex, REFERENCED, type Shelf } from "../storage/blob-index.ts";
import { BLOBS, isHex, layersFolder, REPOSITORIES, repositoryFolder } from "../storage/layout.ts";
import { listFolder, nameBelow, namesIn, type RepositoryFolder } from "../storage/repositories.ts";
import type { Phase } from "../storage/team.ts";
import { markRepository, type RepositoryMarks } from "./mark.ts";
import type { RepositoryFolders } from "./repository-reader.ts";

/** What the threads of a team import. */
export const taskUrl = import.meta.url;

/** Lists blobs; an item is a first byte. */
export const listBlobs: Phase<{ readonly root: string }, Shelf[]> = function* ({ root }, next) {
  const shelves: Shelf[] = [];
  for (let first = next(); first >= 0; first = next()) {
    const names = namesIn(`${root}/${BLOBS}/${first.toString(16).padStart(2, "0")}`);
    if (names.length > 0) shelves.push(fillShelf(first, names));
    yield;
  }
  return shelves;
};

export interface ListedRepositories {
  readonly repositories: RepositoryFolder[];
  /** Names of folders that are still to be looked into. */
  readonly below: string[];
  /** Paths of links, which are not followed. */
  readonly links: string[];
}

/** Looks for repositories, one level deep; an item is the name of a folder, "" for all of them. */
export const listRepositories: Phase<{ readonly root: string; readonly names: readonly string[] }, ListedRepositories> =
  function* ({ root, names }, next) {
    const found: ListedRepositories = { repositories: [], below: [], links: [] };
    for (let item = next(); item >= 0; item = next()) {
      const name = names[item] as string;
      const path = name === "" ? REPOSITORIES : repositoryFolder(name);
      const { parts, below } = listFolder(`${root}/${path}`, (link) => found.links.push(link));
      if (parts.length > 0 && name !== "") found.repositories.push({ name, parts });
      for (const component of below) found.below.push(nameBelow(name, component));
      yield;
    }
    return found;
  };

export interface MarkInput {
  readonly root: string;
  readonly shelves: readonly Shelf[];
  readonly repositories: readonly RepositoryFolders[];
  readonly untagged: boolean;
  readonly youngerThan: number;
  readonly setAside: readonly string[];
}

export interface MarkedRepository extends RepositoryMarks {
  readonly name: string;
}

/** Marks what repositories need; an item is a repository. Only what has something to tell is given back one by one. */
export const markBlobs: Phase<MarkInput, { readonly revisions: number; readonly marked: MarkedRepository[] }> =
  function* (input, next) {
    const index = openIndex(input.shelves);
    const marked: MarkedRepository[] = [];
    let revisions = 0;
    for (let item = next(); item >= 0; item = next()) {
      const repository = input.repositories[item] as RepositoryFolders;
      const marks = markRepository(repository, { ...input, index });
      revisions += marks.revisions;
      if (marks.problems.length + marks.unneeded.length + marks.unlisted.length > 0)
        marked.push({ name: repository.name, ...marks });
      yield;
    }
    return { revisions, marked };
  };

/** Blobs that nothing refers to: digests (hexadecimal), sizes in bytes, and when they were written (ms since 1970). */
export interface Unreferenced {
  readonly hexes: string[];
  readonly bytes: number[];
  readonly modifiedMs: number[];
  /** Folders without `data`, which are no blobs. */
  readonly withoutData: string[];
}

/** Weighs the blobs that were not marked; an item is a first byte. */
export const weighUnreferenced: Phase<{ readonly root: string; readonly shelves: readonly Shelf[] }, Unreferenced> =
  function* ({ root, shelves }, next) {
    const index = openIndex(shelves);
    const found: Unreferenced = { hexes: [], bytes: [], modifiedMs: [], withoutData: [] };
    for (let first = next(); first >= 0; first = next()) {
      const folder = `${root}/${BLOBS}/${first.toString(16).padStart(2, "0")}`;
      const { begin, end } = index.numbersOf(first);
      for (let blob = begin; blob < end; blob++) {
        if (index.has(blob, REFERENCED)) continue;
        const hex = index.hexOf(blob);
        const data = lstatSync(`${folder}/${hex}/data`, { throwIfNoEntry: false });
        if (data === undefined) {
          found.withoutData.push(hex);
          continue;
        }
        found.hexes.push(hex);
        found.bytes.push(data.size);
        found.modifiedMs.push(data.mtimeMs);
      }
      yield;
    }
    return found;
  };

export interface LinksInput {
  readonly root: string;
  readonly shelves: readonly Shelf[];
  /** Folders of repositories, relative to the root. */
  readonly folders: readonly string[];
  /** Links written then or later are looked for, in ms since 1970. */
  readonly since: number;
}

/** Links of layers to blobs that nothing refers to. */
export interface LayerLinks {
  /** Hexadecimal digests of blobs that were linked lately: an upload or a mount whose manifest may be on its way. */
  readonly recent: string[];
}

/** Looks for fresh links to unmarked blobs; an item is a repository. */
export const findRecentLinks: Phase<LinksInput, LayerLinks> = function* ({ root, shelves, folders, since }, next) {
  const index = openIndex(shelves);
  const recent: string[] = [];
  for (let item = next(); item >= 0; item = next()) {
    const layers = `${root}/${layersFolder(folders[item] as string)}`;
    for (const hex of namesIn(layers)) {
      if (!isHex(hex)) continue;
      const blob = index.find(hex);
      if (blob < 0 || index.has(blob, REFERENCED)) continue;
      const link = lstatSync(`${layers}/${hex}/link`, { throwIfNoEntry: false });
      if (link !== undefined && link.mtimeMs >= since) recent.push(hex);
    }
    yield;
  }
  return { recent };
};
