/**
 * Marks what the manifests of one repository need. Without `untagged` every revision is a root, as for distribution's own
 * collector; with it, what tags point at, what was pushed lately, and what the trash may bring back.
 */
import { lstatSync } from "node:fs";
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

function markAll(reader: RepositoryReader, linked: readonly Revision[], { index }: MarkOptions): void {
  for (const { hex } of linked) {
    const blob = index.find(hex);
    // Another repository has the same manifest, and what it needs is marked.
    if (blob >= 0 && index.has(blob, FOLLOWED)) continue;
    if (blob < 0) reader.mark(hex);
    else index.set(blob, REFERENCED);
    const references = reader.manifest(hex);
    if (references === undefined) continue;
    reader.markReferences(references);
    if (blob >= 0) index.set(blob, followed(references));
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
  const manifests = new Map<string, ManifestReferences>();
  for (const { hex, folder } of linked) {
    const isTrashed = !folder.startsWith(`${repository.folder}/`);
    const references = manifests.get(hex) ?? reader.manifest(hex);
    if (references !== undefined) manifests.set(hex, references);
    if (tagged === undefined || references === undefined || isTrashed) roots.push(hex);
  }
  let needed = neededRevisions(roots, manifests);
  const young = linked.filter(({ hex, folder }) => !needed.has(hex) && isYoung(folder, options));
  if (young.length > 0) needed = neededRevisions([...roots, ...young.map(({ hex }) => hex)], manifests);
  for (const { hex } of linked) {
    if (!needed.has(hex)) continue;
    reader.mark(hex);
    const references = manifests.get(hex);
    if (references === undefined) continue;
    reader.markReferences(references);
    const blob = options.index.find(hex);
    if (blob >= 0) options.index.set(blob, followed(references));
  }
  return needed;
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
          `the tag ${tag} of ${name} does not say what it points at; every manifest of ${name} is kept`,
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
