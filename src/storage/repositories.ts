/** Which repositories a tree holds: in the store, or in an entry of the trash. */
import { type Dirent, readdirSync } from "node:fs";
import { systemCodeOf } from "../errors.ts";
import { BLOBS, isHex, REPOSITORY_PARTS } from "./layout.ts";

export interface RepositoryFolder {
  /** `team/app`. */
  readonly name: string;
  /** Which of `_manifests`, `_layers`, `_uploads` it has. */
  readonly parts: readonly string[];
}

/** Entries of a folder; none when there is no such folder. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}

/** Names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}

const PARTS: ReadonlySet<string> = new Set(REPOSITORY_PARTS);

export interface ListedFolder {
  /** Which of `_manifests`, `_layers`, `_uploads` it has: any of them makes it a repository. */
  readonly parts: readonly string[];
  /** Names of folders in which there may be further repositories, sorted. */
  readonly below: readonly string[];
}

/**
 * One folder of a tree of repositories. Links are not followed; the registry does follow them, so whoever has to know all
 * that it serves is told.
 */
export function listFolder(path: string, onLink?: (path: string) => void): ListedFolder {
  const parts: string[] = [];
  const below: string[] = [];
  for (const entry of entriesOf(path)) {
    if (entry.isSymbolicLink()) onLink?.(`${path}/${entry.name}`);
    if (!entry.isDirectory()) continue;
    if (PARTS.has(entry.name)) parts.push(entry.name);
    // A component of a repository's name begins with a letter or digit.
    else if (!entry.name.startsWith("_")) below.push(entry.name);
  }
  return { parts, below: below.sort() };
}

/** Name of a repository, or of what is above some, in another: `team` and `app` make `team/app`. */
export function nameBelow(name: string, component: string): string {
  return name === "" ? component : `${name}/${component}`;
}

/**
 * The repositories below a `repositories` folder, nested ones (`a` and `a/b`) as well, in the catalog's order: by name,
 * component by component.
 */
export function* walkRepositories(folder: string, onLink?: (path: string) => void): Generator<RepositoryFolder> {
  const waiting: { readonly path: string; readonly name: string }[] = [{ path: folder, name: "" }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { parts, below } = listFolder(at.path, onLink);
    if (parts.length > 0 && at.name !== "") yield { name: at.name, parts };
    for (const name of below.toReversed()) waiting.push({ path: `${at.path}/${name}`, name: nameBelow(at.name, name) });
  }
}

/** Sorts as `walkRepositories` does. */
export function inCatalogOrder(repositories: readonly RepositoryFolder[]): RepositoryFolder[] {
  // No name has this character, and none comes before it.
  const keyed = repositories.map((repository) => ({ repository, key: repository.name.replaceAll("/", "\0") }));
  keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  return keyed.map(({ repository }) => repository);
}

/** Hexadecimal digests of every folder of blobs below a root. */
export function blobNames(root: string): string[] {
  return namesIn(`${root}/${BLOBS}`).flatMap((first) => namesIn(`${root}/${BLOBS}/${first}`).filter(isHex));
}
