/** Reads one repository for the collector and marks the blobs it needs; whatever cannot be read is a problem, never nothing. */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { messageOf, systemCodeOf } from "../errors.ts";
import { shownName } from "../shown-name.ts";
import { type BlobIndex, REFERENCED } from "../storage/blob-index.ts";
import { blobData, digestOf, hexOf, isHex, layersFolder, revisionsFolder, SHA256 } from "../storage/layout.ts";
import { type ManifestReferences, parseManifest } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import { readLink, readSmallFile } from "../storage/small-file.ts";
import type { Problem } from "./problems.ts";

/** A repository as the collector sees it: in the store, and what of it is in the trash and may come back. */
export interface RepositoryFolders {
  readonly name: string;
  /** Its folder in the store, relative to the root; undefined when it is only in the trash. */
  readonly folder: string | undefined;
  readonly trashed: readonly string[];
}

export interface Revision {
  readonly hex: string;
  /** Relative to the root. */
  readonly folder: string;
}

export interface ReaderOptions {
  readonly root: string;
  readonly index: BlobIndex;
  /** Trees of blobs set aside by collections, relative to the root. */
  readonly setAside: readonly string[];
}

export interface RepositoryReader {
  readonly problems: Problem[];
  /** Needed blobs (hexadecimal) that are not in the index: missing, set aside, or new since it was made. */
  readonly unlisted: string[];
  /** Revisions with a link, of the store and the trash; one deleted over the API leaves an empty folder. */
  linkedRevisions(isPassedOver?: (hex: string) => boolean): Revision[];
  /** undefined = it cannot be read, which was reported. */
  manifest(hex: string): ManifestReferences | undefined;
  /** The blob itself is needed. */
  mark(hex: string): void;
  /** What a manifest refers to is needed: one level, as distribution's own collector marks. */
  markReferences(references: ManifestReferences): void;
  report(kind: Problem["kind"], message: string, where?: Partial<Problem>): void;
}

export function readRepository(repository: RepositoryFolders, options: ReaderOptions): RepositoryReader {
  const { root, index } = options;
  const { name } = repository;
  const shown = shownName(name);
  const folders = [...(repository.folder === undefined ? [] : [repository.folder]), ...repository.trashed];
  const problems: Problem[] = [];
  const unlisted: string[] = [];
  let isAllLinkedMarked = false;

  const report: RepositoryReader["report"] = (kind, message, where) =>
    void problems.push({ kind, repository: name, message, ...where });

  const mark = (hex: string): void => {
    const blob = index.find(hex);
    if (blob < 0) unlisted.push(hex);
    else index.set(blob, REFERENCED);
  };

  /** Everything the repository links stays when what one of its manifests needs cannot be known. */
  const markAllLinked = (): void => {
    if (isAllLinkedMarked) return;
    isAllLinkedMarked = true;
    for (const folder of folders) {
      for (const hex of namesIn(`${root}/${layersFolder(folder)}`)) if (isHex(hex)) mark(hex);
    }
  };

  /** A digest of another algorithm is another name of a blob, which the repository's link tells. */
  const markAlias = (digest: string): void => {
    const [algorithm, encoded] = digest.split(":") as [string, string];
    for (const folder of folders) {
      const target = hexOf(readLink(`${root}/${folder}/_layers/${algorithm}/${encoded}`) ?? "");
      if (target === undefined) continue;
      mark(target);
      return;
    }
    report("missing-link", `no link says which blob ${digest} is; all that ${shown} links is kept`, { digest });
    markAllLinked();
  };

  /** Of a parsed manifest: well formed. */
  const markDigest = (digest: string): void => {
    if (digest.startsWith(SHA256)) mark(digest.slice(SHA256.length));
    else markAlias(digest);
  };

  const contentOf = (hex: string): Buffer | undefined => {
    let content = readSmallFile(`${root}/${blobData(hex)}`);
    for (const folder of options.setAside) content ??= readSmallFile(`${root}/${folder}/${blobData(hex)}`);
    return content;
  };

  const linkedRevisions: RepositoryReader["linkedRevisions"] = (isPassedOver) => {
    const linked: Revision[] = [];
    for (const folder of folders) {
      const parent = revisionsFolder(folder);
      for (const hex of namesIn(`${root}/${parent}`)) {
        if (!isHex(hex) || isPassedOver?.(hex) === true) continue;
        const revision = { hex, folder: `${parent}/${hex}` };
        // Its place says which manifest a link means, also one that a crash or a full disk left empty.
        if (existsSync(`${root}/${revision.folder}/link`)) linked.push(revision);
      }
    }
    return linked;
  };

  const manifest = (hex: string): ManifestReferences | undefined => {
    const digest = digestOf(hex);
    try {
      const content = contentOf(hex);
      if (content !== undefined) {
        if (hash("sha256", content) !== hex) throw new Error("its content does not have this digest");
        return parseManifest(content.toString("utf8"));
      }
      report("missing-manifest", `the manifest ${digest} of ${shown} is missing; all that ${shown} links is kept`, {
        digest,
      });
      markAllLinked();
    } catch (error) {
      const isFile = systemCodeOf(error) !== "ELOOP" && systemCodeOf(error) !== "EISDIR";
      const where = { digest, path: blobData(hex) };
      report(
        isFile ? "corrupt-manifest" : "not-a-file",
        `the manifest ${digest} of ${shown} cannot be read: ${messageOf(error)}`,
        where,
      );
    }
    return undefined;
  };

  return {
    problems,
    unlisted,
    linkedRevisions,
    manifest,
    mark,
    markReferences(references) {
      for (const digest of references.blobs) markDigest(digest);
      for (const digest of references.children) markDigest(digest);
    },
    report,
  };
}
