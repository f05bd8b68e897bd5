/** Which manifests of a repository go with a deletion, and which blobs they needed. */

import { neededRevisions } from "../collect/needed-revisions.ts";
import type { Problem } from "../collect/problems.ts";
import { type RepositoryReader, readRepository } from "../collect/repository-reader.ts";
import { openIndex } from "../storage/blob-index.ts";
import { hexOf, isHex, layersFolder, repositoryFolder, revisionsFolder, tagsFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import { readLink } from "../storage/small-file.ts";

/** What of one repository is to be deleted. */
export interface RepositorySelection {
  readonly name: string;
  /** All of it; tags and revisions say nothing more then. */
  readonly isWhole: boolean;
  readonly tags: readonly string[];
  /** Hexadecimal digests of manifests. */
  readonly revisions: readonly string[];
}

export interface GoneRevisions {
  readonly repository: string;
  /** Manifests that go: those named, and those that were needed through what was named alone. Hexadecimal. */
  readonly revisions: readonly string[];
  /** Blobs they needed, themselves included. Hexadecimal. */
  readonly blobs: readonly string[];
  /** Blobs that stay because the repository holds a manifest that cannot be read. Hexadecimal. */
  readonly kept: readonly string[];
  readonly problems: readonly Problem[];
}

/** Digests (hexadecimal) of everything a repository links: layers, configurations and manifests. */
export function linkedBlobs(root: string, name: string): string[] {
  const folder = `${root}/${repositoryFolder(name)}`;
  return [...namesIn(layersFolder(folder)), ...namesIn(revisionsFolder(folder))].filter(isHex);
}

interface Targets {
  readonly removed: readonly string[];
  /** undefined = some tag that stays does not say what it points at. */
  readonly remaining: readonly string[] | undefined;
}

function tagTargets(
  reader: RepositoryReader,
  root: string,
  { name, tags }: RepositorySelection,
  known: ReadonlyMap<string, string>,
): Targets {
  const isRemoved = new Set(tags);
  const removed: string[] = [];
  const remaining: string[] = [];
  let isKnown = true;
  const folder = `${root}/${tagsFolder(repositoryFolder(name))}`;
  for (const tag of namesIn(folder)) {
    const link = known.get(tag) ?? readLink(`${folder}/${tag}/current`);
    if (link === undefined) continue;
    const hex = hexOf(link);
    if (hex !== undefined) (isRemoved.has(tag) ? removed : remaining).push(hex);
    else if (!isRemoved.has(tag)) {
      isKnown = false;
      const message = `the tag ${JSON.stringify(tag)} of ${name} does not say what it points at; every manifest of ${name} is taken to stay`;
      reader.report("empty-link", message, { tag });
    }
  }
  return { removed, remaining: isKnown ? remaining : undefined };
}

/** What stays of the linked manifests: an index keeps its manifests, and a manifest what is attached to it. */
function staying(
  linked: ReadonlySet<string>,
  manifests: ReadonlyMap<string, ManifestReferences>,
  { removed, remaining }: Targets,
  revisions: readonly string[],
): ReadonlySet<string> {
  const named = new Set(revisions);
  const left = new Map([...manifests].filter(([hex]) => !named.has(hex)));
  const others = [...linked].filter((hex) => !named.has(hex));
  if (remaining === undefined) return new Set(others);
  // A manifest without a tag that nothing named leads to was without one before: it is not this deletion's.
  const touched = neededRevisions([...removed, ...revisions], manifests);
  // Its tags go with a manifest.
  const roots = [...remaining.filter((hex) => !named.has(hex)), ...others.filter((hex) => !touched.has(hex))];
  const needed = neededRevisions(roots, left);
  return new Set(others.filter((hex) => needed.has(hex)));
}

export interface GoneAndStaying extends GoneRevisions {
  /** Manifests that stay; undefined = it cannot be read. */
  readonly staying: readonly (readonly [hex: string, references: ManifestReferences | undefined])[];
}

/** What somebody read of the repository already. */
export interface KnownParts {
  /** By hexadecimal digest; undefined = it cannot be read. */
  readonly manifests: ReadonlyMap<string, ManifestReferences | undefined>;
  /** Digests by tag. */
  readonly tags: ReadonlyMap<string, string>;
}

const NOTHING_KNOWN: KnownParts = { manifests: new Map(), tags: new Map() };

/** Reads one repository; nothing is changed. */
export function findGoneRevisions(root: string, selection: RepositorySelection): GoneRevisions {
  const { staying: _, ...gone } = findGoneAndStaying(root, selection, NOTHING_KNOWN);
  return gone;
}

/** As `findGoneRevisions`, with what stays; `known` is not read again. */
export function findGoneAndStaying(root: string, selection: RepositorySelection, known: KnownParts): GoneAndStaying {
  const { name, isWhole } = selection;
  const folder = repositoryFolder(name);
  // Nothing is in this index, so everything marked is named in `unlisted`.
  const reader = readRepository({ name, folder, trashed: [] }, { root, index: openIndex([]), setAside: [] });
  const linked = new Set(reader.linkedRevisions().map(({ hex }) => hex));
  const manifests = new Map<string, ManifestReferences>();
  for (const hex of linked) {
    // What could not be read is read again, so that it is reported.
    const references = known.manifests.get(hex) ?? reader.manifest(hex);
    if (references !== undefined) manifests.set(hex, references);
  }
  const isBlind = manifests.size < linked.size;
  const stays = isWhole
    ? new Set<string>()
    : staying(linked, manifests, tagTargets(reader, root, selection, known.tags), selection.revisions);
  const revisions = [...linked].filter((hex) => !stays.has(hex));
  for (const hex of revisions) {
    reader.mark(hex);
    const references = manifests.get(hex);
    if (references !== undefined) reader.markReferences(references);
  }
  const blobs = new Set(reader.unlisted);
  const unknown = isBlind ? linkedBlobs(root, name) : [];
  if (isWhole) for (const hex of unknown) blobs.add(hex);
  return {
    repository: name,
    revisions,
    blobs: [...blobs],
    kept: isWhole ? [] : unknown,
    problems: reader.problems,
    staying: [...stays].map((hex) => [hex, manifests.get(hex)] as const),
  };
}
