/**
 * Marks what the manifests of one repository need. Without `untagged` every revision is a root, as for distribution's own
 * collector; with it, what tags point at, what was pushed lately, and what the trash may bring back.
 */
import { lstatSync } from "node:fs";
import { shownName } from "../shown-name.ts";
import { FOLLOWED, INDEX, REFERENCED } from "../storage/blob-index.ts";
import { hexOf, tagsFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { namesIn } from "../storage/repositories.ts";
import { linkTime, readLink } from "../storage/small-file.ts";
import { neededRevisions } from "./needed-revisions.ts";
import type { Problem } from "./problems.ts";
import {
  type ReaderOptions,
  type RepositoryFolders,
  type RepositoryReader,
  type Revision,
  readRepository,
} from "./repository-reader.ts";

export interface MarkOptions extends ReaderOptions {
  /** Manifests no tag needs are no roots. */
  readonly untagged: boolean;
  /** Milliseconds since 1970: what was linked then or later is a root. */
  readonly youngerThan: number;
}

export interface UnneededRevision {
  readonly hex: string;
  /** When its link was written, in ms since 1970: another time later means that it was pushed again. */
  readonly linkedMs: number;
}

export interface RepositoryMarks {
  readonly revisions: number;
  /** Revisions in the store that nothing needs; only with `untagged`. */
  readonly unneeded: readonly UnneededRevision[];
  readonly unlisted: readonly string[];
  readonly problems: readonly Problem[];
}

export function markRepository(repository: RepositoryFolders, options: MarkOptions): RepositoryMarks {
  const reader = readRepository(repository, options);
  const linked = reader.linkedRevisions();
  const { unlisted, problems } = reader;
  const revisions = linked.length;
  if (!options.untagged || repository.folder === undefined) {
    markAll(reader, linked, options);
    return { revisions, unneeded: [], unlisted, problems };
  }
  const needed = markNeeded(reader, { ...repository, folder: repository.folder }, linked, options);
  const inStore = `${repository.folder}/`;
  const unneeded = linked
    .filter(({ hex, folder }) => !needed.has(hex) && folder.startsWith(inStore))
    .map(({ hex, folder }) => ({ hex, linkedMs: linkTime(`${options.root}/${folder}`) ?? 0 }));
  return { revisions, unneeded, unlisted, problems };
}

const followed = ({ children }: ManifestReferences): number => (children.length > 0 ? FOLLOWED | INDEX : FOLLOWED);

/** What a collection keeps for a while stays whole with what it shares with the store; its own blobs stay where they are. */
function isCollected(folder: string, { setAside }: MarkOptions): boolean {
  return setAside.some((tree) => folder.startsWith(`${tree}/`));
}

/** Marks what is in the store, and asks for nothing that is not. */
function markQuietly({ unlisted }: RepositoryReader, mark: () => void): void {
  const before = unlisted.length;
  mark();
  unlisted.length = before;
}

function markAll(reader: RepositoryReader, linked: readonly Revision[], options: MarkOptions): void {
  const { index } = options;
  const mark = (hex: string) => {
    const blob = index.find(hex);
    // Another repository has the same manifest, and what it needs is marked.
    if (blob >= 0 && index.has(blob, FOLLOWED)) return;
    if (blob < 0) reader.mark(hex);
    else index.set(blob, REFERENCED);
    const references = reader.manifest(hex);
    if (references === undefined) return;
    reader.markReferences(references);
    if (blob >= 0) index.set(blob, followed(references));
  };
  for (const { hex, folder } of linked) {
    if (isCollected(folder, options)) markQuietly(reader, () => mark(hex));
    else mark(hex);
  }
}

function markNeeded(
  reader: RepositoryReader,
  repository: RepositoryFolders & { readonly folder: string },
  linked: readonly Revision[],
  options: MarkOptions,
): ReadonlySet<string> {
  const tagged = tagTargets(reader, repository, options.root);
  const roots = [...(tagged ?? [])];
  const collected: string[] = [];
  const manifests = new Map<string, ManifestReferences>();
  for (const { hex, folder } of linked) {
    const isTrashed = !folder.startsWith(`${repository.folder}/`);
    const references = manifests.get(hex) ?? reader.manifest(hex);
    if (references !== undefined) manifests.set(hex, references);
    if (isTrashed && isCollected(folder, options)) collected.push(hex);
    else if (tagged === undefined || references === undefined || isTrashed) roots.push(hex);
  }
  const asked = neededRevisions(roots, manifests);
  const before = roots.length;
  for (const { hex, folder } of linked) {
    if (!asked.has(hex) && !isCollected(folder, options) && isYoung(folder, options)) roots.push(hex);
  }
  const needed = roots.length === before ? asked : neededRevisions(roots, manifests);
  const kept = collected.length === 0 ? needed : neededRevisions([...roots, ...collected], manifests);
  const mark = (hex: string) => {
    reader.mark(hex);
    const references = manifests.get(hex);
    if (references === undefined) return;
    reader.markReferences(references);
    const blob = options.index.find(hex);
    if (blob >= 0) options.index.set(blob, followed(references));
  };
  for (const { hex } of linked) {
    if (needed.has(hex)) mark(hex);
    else if (kept.has(hex)) markQuietly(reader, () => mark(hex));
  }
  return kept;
}

/**
 * What the tags of a repository point at, those in the trash as well; undefined when that cannot be known, or when it never
 * had a tag: images known by digest alone (a mirror's, a build cache's) are no leftovers.
 */
function tagTargets(
  reader: RepositoryReader,
  repository: RepositoryFolders & { readonly folder: string },
  root: string,
): string[] | undefined {
  const { name } = repository;
  const targets: string[] = [];
  let isKnown = true;
  let hadTags = false;
  for (const folder of [repository.folder, ...repository.trashed]) {
    const tags = namesIn(`${root}/${tagsFolder(folder)}`);
    hadTags ||= tags.length > 0 || lstatSync(`${root}/${tagsFolder(folder)}`, { throwIfNoEntry: false }) !== undefined;
    for (const tag of tags) {
      const path = `${tagsFolder(folder)}/${tag}/current`;
      const link = readLink(`${root}/${path}`);
      if (link === undefined) continue;
      const hex = hexOf(link);
      if (hex !== undefined) targets.push(hex);
      else {
        isKnown = false;
        reader.report(
          "empty-link",
          `the tag ${shownName(tag)} of ${shownName(name)} does not say what it points at; every manifest of it is kept`,
          {
            tag,
            path: `${path}/link`,
          },
        );
      }
    }
  }
  return isKnown && hadTags ? targets : undefined;
}

/** Pushed lately, perhaps the first part of an index whose tag is still to come. */
function isYoung(revisionFolder: string, options: MarkOptions): boolean {
  if (options.youngerThan === Number.POSITIVE_INFINITY) return false;
  return (linkTime(`${options.root}/${revisionFolder}`) ?? 0) >= options.youngerThan;
}
