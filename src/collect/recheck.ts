/**
 * The second look at a repository, after blobs and manifests were set aside: what was pushed, tagged or uploaded since the
 * survey, and which of the things set aside it needs.
 */

import { lstatSync } from "node:fs";
import { type BlobIndex, FOLLOWED, INDEX, REFERENCED } from "../storage/blob-index.ts";
import { isHex, layersFolder, revisionsFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import type { UnneededRevision } from "./mark.ts";
import { neededRevisions } from "./needed-revisions.ts";
import type { Problem } from "./problems.ts";
import { type RepositoryFolders, readRepository } from "./repository-reader.ts";
import { tagTargets } from "./tag-targets.ts";

export interface RecheckOptions {
  readonly root: string;
  /** The entry things were set aside in, relative to the root. */
  readonly entry: string;
  /** The store's blobs at the time of the survey. */
  readonly known: BlobIndex;
  /** Blobs set aside; the needed ones get marked. */
  readonly aside: BlobIndex;
  /** Manifests of this repository that were set aside. */
  readonly setAside: readonly UnneededRevision[];
  /** Layer links written then or later (ms since 1970) announce a manifest. */
  readonly since: number;
}

export function recheckRepository(
  repository: RepositoryFolders,
  options: RecheckOptions,
): { readonly revisions: readonly string[]; readonly problems: readonly Problem[] } {
  const { root, entry, known, aside, setAside } = options;
  const reader = readRepository(repository, { root, index: aside, setAside: [entry] });
  /**
   * The survey read it and marked what it needs, so no blob of that was set aside. An index it read in another repository may
   * be new in this one, and then this one's manifests are needed.
   */
  const isKnown = (hex: string): boolean => {
    const blob = known.find(hex);
    return blob >= 0 && known.has(blob, FOLLOWED) && (setAside.length === 0 || !known.has(blob, INDEX));
  };
  const manifests = new Map<string, ManifestReferences>();
  const roots: string[] = [];
  const learn = (hex: string): void => {
    const references = reader.manifest(hex);
    if (references !== undefined) manifests.set(hex, references);
  };
  for (const { hex } of reader.linkedRevisions(isKnown)) {
    roots.push(hex);
    if (!manifests.has(hex)) learn(hex);
  }
  if (setAside.length > 0 && repository.folder !== undefined) {
    const isAside = new Set(setAside.map(({ hex }) => hex));
    for (const revision of setAside) {
      if (!manifests.has(revision.hex)) learn(revision.hex);
      if (wasLinkedAgain(revision, repository.folder, options)) roots.push(revision.hex);
    }
    const folders = [repository.folder, ...repository.trashed];
    for (const hex of folders.flatMap((folder) => tagTargets(root, folder))) if (isAside.has(hex)) roots.push(hex);
  }
  const needed = neededRevisions(roots, manifests);
  for (const hex of needed) {
    const references = manifests.get(hex);
    if (references === undefined) continue;
    reader.mark(hex);
    reader.markReferences(references);
  }
  if (repository.folder !== undefined) markRecentlyLinked(repository.folder, options);
  const isNeeded = setAside.filter(({ hex }) => needed.has(hex));
  return { revisions: isNeeded.map(({ hex }) => hex), problems: reader.problems };
}

/** Pushed again between the survey and being set aside: the registry writes the link anew each time. */
function wasLinkedAgain({ hex, linkedMs }: UnneededRevision, folder: string, { root, entry }: RecheckOptions): boolean {
  const link = lstatSync(`${root}/${entry}/${revisionsFolder(folder)}/${hex}/link`, { throwIfNoEntry: false });
  return link !== undefined && link.mtimeMs !== linkedMs;
}

/** A layer that was just uploaded or mounted: its manifest is on its way. */
function markRecentlyLinked(folder: string, { root, aside, since }: RecheckOptions): void {
  if (aside.count === 0) return;
  const layers = `${root}/${layersFolder(folder)}`;
  for (const hex of namesIn(layers)) {
    if (!isHex(hex)) continue;
    const blob = aside.find(hex);
    if (blob < 0 || aside.has(blob, REFERENCED)) continue;
    const link = lstatSync(`${layers}/${hex}/link`, { throwIfNoEntry: false });
    if (link !== undefined && link.mtimeMs >= since) aside.set(blob, REFERENCED);
  }
}
