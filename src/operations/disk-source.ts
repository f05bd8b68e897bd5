/** Images as the files of a storage say; what a file does not say is a problem of that image, never an error. */
import { hash } from "node:crypto";
import { lstatSync } from "node:fs";
import { repositoryNames } from "../catalog/repository-names.ts";
import { hasRepository } from "../collect/removal.ts";
import { messageOf } from "../errors.ts";
import {
  blobData,
  digestOf,
  hexOf,
  isHex,
  layersFolder,
  repositoryFolder,
  revisionsFolder,
  type Store,
  tagsFolder,
} from "../storage/layout.ts";
import { namesIn } from "../storage/repositories.ts";
import { readLink, readSmallFile } from "../storage/small-file.ts";
import type { FoundManifest, ImageSource } from "./image-source.ts";

const MAXIMUM_CONFIG_BYTES = 8 * 1024 * 1024;

const linkedMs = (folder: string): number | undefined =>
  lstatSync(`${folder}/link`, { throwIfNoEntry: false })?.mtimeMs;

export function diskSource(store: Store, host: string | undefined): ImageSource {
  const { root } = store;
  const pathOf = (relative: string) => `${root}/${relative}`;
  const revision = (repository: string, hex: string) =>
    pathOf(`${revisionsFolder(repositoryFolder(repository))}/${hex}`);
  const tagFolder = (repository: string, tag: string) =>
    pathOf(`${tagsFolder(repositoryFolder(repository))}/${tag}/current`);

  /** The bytes of a blob, copied out of the reader's buffer; a sentence when they are not what the digest says. */
  const contentOf = (hex: string): { readonly bytes?: Buffer; readonly problem?: string } => {
    try {
      const content = readSmallFile(pathOf(blobData(hex)));
      if (content === undefined) return { problem: "its content is missing" };
      if (hash("sha256", content) !== hex) return { problem: "its content does not have its digest" };
      return { bytes: Buffer.from(content) };
    } catch (error) {
      return { problem: `its content cannot be read: ${messageOf(error)}` };
    }
  };

  const found = (digest: string, pushedMs: number | undefined): FoundManifest => {
    const hex = hexOf(digest);
    const { bytes, problem } = hex === undefined ? { problem: "its digest is not sha256" } : contentOf(hex);
    return { digest, mediaType: "", bytes, pushedMs, problem };
  };

  const ofTag = (repository: string, tag: string): FoundManifest | undefined => {
    const folder = tagFolder(repository, tag);
    const pushedMs = linkedMs(folder);
    const link = readLink(folder);
    if (link === undefined) {
      const isThere = namesIn(pathOf(tagsFolder(repositoryFolder(repository)))).includes(tag);
      const problem = "it does not say what it points at: its link is missing";
      return isThere ? { digest: "", mediaType: "", bytes: undefined, pushedMs: undefined, problem } : undefined;
    }
    const hex = hexOf(link);
    if (hex === undefined) {
      const problem = "it does not say what it points at: its link is damaged";
      return { digest: "", mediaType: "", bytes: undefined, pushedMs, problem };
    }
    const manifest = found(digestOf(hex), pushedMs);
    if (manifest.problem !== undefined || linkedMs(revision(repository, hex)) !== undefined) return manifest;
    return { ...manifest, problem: `${repository} has no manifest of its digest any more` };
  };

  return {
    origin: "disk",
    host,
    repositories: async () => repositoryNames(store),
    tags: async (repository) =>
      hasRepository(store, repository) ? namesIn(pathOf(tagsFolder(repositoryFolder(repository)))).sort() : undefined,
    find: async (repository, reference) => {
      if (!reference.includes(":")) return ofTag(repository, reference);
      const hex = hexOf(reference);
      const pushedMs = hex === undefined ? undefined : linkedMs(revision(repository, hex));
      return pushedMs === undefined ? undefined : found(reference, pushedMs);
    },
    target: async (repository, tag) => {
      const link = readLink(tagFolder(repository, tag)) ?? "";
      return hexOf(link) === undefined ? undefined : link;
    },
    blob: async (_, digest) => {
      const hex = hexOf(digest);
      if (hex === undefined) return undefined;
      const data = lstatSync(pathOf(blobData(hex)), { throwIfNoEntry: false });
      if (data === undefined || !data.isFile() || data.size > MAXIMUM_CONFIG_BYTES) return undefined;
      return contentOf(hex).bytes;
    },
    revisions: async (repository) =>
      namesIn(pathOf(revisionsFolder(repositoryFolder(repository))))
        .filter((hex) => isHex(hex) && linkedMs(revision(repository, hex)) !== undefined)
        .map(digestOf),
    missing: async (repository, digest, kind) => {
      const hex = hexOf(digest);
      if (hex === undefined) return undefined;
      const data = lstatSync(pathOf(blobData(hex)), { throwIfNoEntry: false });
      if (data === undefined) return "its content is missing";
      if (!data.isFile()) return "its content is no file";
      const layers = pathOf(layersFolder(repositoryFolder(repository)));
      const folder = kind === "manifest" ? revision(repository, hex) : `${layers}/${hex}`;
      return linkedMs(folder) === undefined ? `${repository} does not link it` : undefined;
    },
    map: (items, work) => Promise.all(items.map(work)),
  };
}
