/** What retention goes by, read from disk: when tags were pushed and their images built, and what no tag reaches. */

import { lstatSync } from "node:fs";
import { neededRevisions } from "../collect/needed-revisions.ts";
import { type RepositoryReader, readRepository } from "../collect/repository-reader.ts";
import { tagTargets } from "../collect/tag-targets.ts";
import { openIndex } from "../storage/blob-index.ts";
import { blobData, digestOf, hexOf, repositoryFolder, revisionsFolder, tagsFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import { readLink, readSmallFile } from "../storage/small-file.ts";

/** Reading manifests and configurations takes longer than everything else. */
export interface WantedFacts {
  readonly repository: string;
  readonly built: boolean;
  readonly children: boolean;
  readonly untagged: boolean;
  /** Folders in the trash that came from the repository: what they need is not without a tag. */
  readonly trashed: readonly string[];
}

/** Times are milliseconds since 1970. */
export interface TagOnDisk {
  readonly tag: string;
  readonly digest: string;
  readonly pushed: number | undefined;
  readonly built: number | undefined;
  readonly children: readonly string[] | undefined;
}

export interface UntaggedOnDisk {
  readonly digest: string;
  readonly pushed: number | undefined;
  readonly children: readonly string[];
  readonly subject: string | undefined;
}

export interface RepositoryFacts {
  readonly repository: string;
  readonly tags: readonly TagOnDisk[];
  readonly untagged: readonly UntaggedOnDisk[];
}

function modified(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function createdOf(root: string, config: string | undefined): number | undefined {
  const hex = config === undefined ? undefined : hexOf(config);
  const content = hex === undefined ? undefined : readSmallFile(`${root}/${blobData(hex)}`);
  if (content === undefined) return undefined;
  try {
    const { created } = JSON.parse(content.toString("utf8")) as { readonly created?: unknown };
    const time = typeof created === "string" ? Date.parse(created) : Number.NaN;
    return Number.isNaN(time) ? undefined : time;
  } catch {
    return undefined;
  }
}

/** `manifests` gets every manifest that was read, by hexadecimal digest; undefined = it cannot be read. */
export function retentionFacts(
  root: string,
  wanted: WantedFacts,
  manifests = new Map<string, ManifestReferences | undefined>(),
): RepositoryFacts {
  const { repository } = wanted;
  const folder = repositoryFolder(repository);
  const reader = readRepository(
    { name: repository, folder, trashed: wanted.trashed },
    { root, index: openIndex([]), setAside: [] },
  );
  const manifest = (hex: string): ManifestReferences | undefined => {
    if (!manifests.has(hex)) manifests.set(hex, reader.manifest(hex));
    return manifests.get(hex);
  };
  const built = new Map<string, number | undefined>();
  /** An index is as young as the youngest of its images. */
  const builtAt = (hex: string, depth = 0): number | undefined => {
    if (built.has(hex) || depth > 3) return built.get(hex);
    const references = manifest(hex);
    const times =
      references?.kind === "index"
        ? references.children.map((child) => builtAt(hexOf(child) ?? "", depth + 1))
        : [createdOf(root, references?.blobs[0])];
    const known = times.filter((time) => time !== undefined);
    built.set(hex, known.length === 0 ? undefined : Math.max(...known));
    return built.get(hex);
  };
  const tags: TagOnDisk[] = [];
  for (const tag of namesIn(`${root}/${tagsFolder(folder)}`)) {
    const current = `${root}/${tagsFolder(folder)}/${tag}/current`;
    const hex = hexOf(readLink(current) ?? "");
    if (hex === undefined) continue;
    tags.push({
      tag,
      digest: digestOf(hex),
      pushed: modified(`${current}/link`),
      built: wanted.built ? builtAt(hex) : undefined,
      children: wanted.children ? manifest(hex)?.children : undefined,
    });
  }
  const roots = [
    ...tags.map(({ digest }) => hexOf(digest) as string),
    ...wanted.trashed.flatMap((trashed) => tagTargets(root, trashed)),
  ];
  return { repository, tags, untagged: wanted.untagged ? untaggedFacts(root, folder, reader, manifest, roots) : [] };
}

function untaggedFacts(
  root: string,
  folder: string,
  reader: RepositoryReader,
  manifest: (hex: string) => ManifestReferences | undefined,
  tagged: readonly string[],
): UntaggedOnDisk[] {
  const readable = new Map<string, ManifestReferences>();
  const trashed: string[] = [];
  for (const revision of reader.linkedRevisions()) {
    const references = manifest(revision.hex);
    if (references !== undefined) readable.set(revision.hex, references);
    if (!revision.folder.startsWith(`${folder}/`)) trashed.push(revision.hex);
  }
  const reached = neededRevisions([...tagged, ...trashed], readable);
  return [...readable]
    .filter(([hex]) => !reached.has(hex))
    .map(([hex, { children, subject }]) => ({
      digest: digestOf(hex),
      pushed: modified(`${root}/${revisionsFolder(folder)}/${hex}/link`),
      children,
      subject,
    }));
}
