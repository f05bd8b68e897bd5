/**
 * Paths of distribution's storage on a file system, the same in 2.x and 3.x (registry/storage/paths.go):
 * `blobs/sha256/<xx>/<hex>/data`, and a folder a repository with `_manifests`, `_layers` and `_uploads`, whose `link`
 * files hold digests. Paths are relative to `Store.root`.
 */

/** A folder distribution's file system driver was given as `rootdirectory`. */
export interface Store {
  /** How it is reached: absolute, or `.` after a change of rights (see owner.ts). */
  readonly root: string;
  /** How messages call it: absolute. */
  readonly name: string;
}

export const REPOSITORIES = "docker/registry/v2/repositories";
export const BLOBS = "docker/registry/v2/blobs/sha256";

/** Beside `docker/`, on the same file system; each entry in it is laid out as a store of its own. */
export const TRASH = "regctl-trash";

/** The folders that make a folder a repository. */
export const REPOSITORY_PARTS = ["_manifests", "_layers", "_uploads"] as const;

/** What the digests of stored blobs begin with. */
export const SHA256 = "sha256:";
const HEX = /^[0-9a-f]{64}$/;

/** Name of a blob's or link's folder: the digest's 64 lower-case hexadecimal digits. */
export function isHex(name: string): boolean {
  return name.length === 64 && HEX.test(name);
}

/** The hexadecimal part of a `sha256:` digest, or undefined for anything else. */
export function hexOf(digest: string): string | undefined {
  return digest.startsWith(SHA256) && isHex(digest.slice(SHA256.length)) ? digest.slice(SHA256.length) : undefined;
}

export function digestOf(hex: string): string {
  return SHA256 + hex;
}

export function blobFolder(hex: string): string {
  return `${BLOBS}/${hex.slice(0, 2)}/${hex}`;
}

export function blobData(hex: string): string {
  return `${blobFolder(hex)}/data`;
}

export function repositoryFolder(name: string): string {
  return `${REPOSITORIES}/${name}`;
}

/** Below a repository's folder, wherever that is: in the store or in the trash. */
export const revisionsFolder = (repository: string): string => `${repository}/_manifests/revisions/sha256`;
export const tagsFolder = (repository: string): string => `${repository}/_manifests/tags`;
export const layersFolder = (repository: string): string => `${repository}/_layers/sha256`;
export const uploadsFolder = (repository: string): string => `${repository}/_uploads`;
