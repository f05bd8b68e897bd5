/** What a removal moves to the trash, worked out from the store before anything is moved. */
import { RegctlError } from "../errors.ts";
import {
  blobData,
  digestOf,
  hexOf,
  isHex,
  REPOSITORIES,
  REPOSITORY_PARTS,
  repositoryFolder,
  revisionsFolder,
  type Store,
  tagsFolder,
} from "../storage/layout.ts";
import { type ManifestReferences, parseManifest } from "../storage/manifest.ts";
import { namesIn, walkRepositories } from "../storage/repositories.ts";
import { isThere, readLink, readSmallFile } from "../storage/small-file.ts";
import { neededRevisions } from "./needed-revisions.ts";
import type { Removed, TrashKind } from "./trash-entry.ts";

export interface Removal {
  readonly kind: TrashKind;
  readonly removed: readonly Removed[];
  /** Folders relative to the store, in the order they are moved. */
  readonly paths: readonly string[];
}

/** Whether the store has a repository of that name; a folder that only holds nested ones is none. */
export function hasRepository(store: Store, name: string): boolean {
  return REPOSITORY_PARTS.some((part) => isThere(`${store.root}/${repositoryFolder(name)}/${part}`));
}

export function repositoryNames(store: Store): string[] {
  return [...walkRepositories(`${store.root}/${REPOSITORIES}`)].map(({ name }) => name);
}

export function tagsOf(store: Store, repository: string): string[] {
  return namesIn(`${store.root}/${tagsFolder(repositoryFolder(repository))}`);
}

/** What a tag points at, as hexadecimal digits; undefined when that cannot be read or there is no such tag. */
export function tagTarget(store: Store, repository: string, tag: string): string | undefined {
  return hexOf(readLink(`${store.root}/${tagsFolder(repositoryFolder(repository))}/${tag}/current`) ?? "");
}

/** Its own three folders: nested repositories live beside them. Manifests go first, so that no tag outlives its layers. */
export function repositoryRemoval(names: readonly string[]): Removal {
  return {
    kind: "rm-repo",
    removed: names.map((repository) => ({ repository })),
    paths: names.flatMap((name) => REPOSITORY_PARTS.map((part) => `${repositoryFolder(name)}/${part}`)),
  };
}

function removedTag(store: Store, repository: string, tag: string): Removed {
  const hex = tagTarget(store, repository, tag);
  return { repository, tag, ...(hex === undefined ? {} : { digest: digestOf(hex) }) };
}

const tagPath = (repository: string, tag: string): string => `${tagsFolder(repositoryFolder(repository))}/${tag}`;

/** Only the tags: what they point at stays, under its digest and under every other tag. */
export function tagRemoval(
  store: Store,
  tags: readonly { readonly repository: string; readonly tag: string }[],
): Removal {
  return {
    kind: "rm-tag",
    removed: tags.map(({ repository, tag }) => removedTag(store, repository, tag)),
    paths: tags.map(({ repository, tag }) => tagPath(repository, tag)),
  };
}

export interface RepositoryManifests {
  /** By hexadecimal digest: every linked revision that can be read. */
  readonly manifests: ReadonlyMap<string, ManifestReferences>;
  /** Tags by the hexadecimal digest they point at. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
}

/** Reads a repository's manifests and tags; throws when one cannot be read: it might need what is to be removed. */
export function readManifests(store: Store, repository: string): RepositoryManifests {
  const folder = repositoryFolder(repository);
  const manifests = new Map<string, ManifestReferences>();
  for (const hex of namesIn(`${store.root}/${revisionsFolder(folder)}`)) {
    if (!isHex(hex) || readLink(`${store.root}/${revisionsFolder(folder)}/${hex}`) === undefined) continue;
    try {
      const content = readSmallFile(`${store.root}/${blobData(hex)}`);
      if (content !== undefined) manifests.set(hex, parseManifest(content.toString("utf8")));
    } catch (error) {
      throw new RegctlError(
        "precondition-failed",
        `the manifest ${digestOf(hex)} of ${repository} cannot be read; nothing was removed`,
        {
          cause: error,
          hint: "`regctl fsck` checks the store; `regctl fsck --repair` moves what is broken to the trash",
        },
      );
    }
  }
  const tags = new Map<string, string[]>();
  for (const tag of tagsOf(store, repository)) {
    const hex = tagTarget(store, repository, tag);
    if (hex !== undefined) tags.set(hex, [...(tags.get(hex) ?? []), tag]);
  }
  return { manifests, tags };
}

/** Tags by which clients that know no referrers API find what is attached to a manifest. */
function attachedTags(all: readonly string[], hex: string): string[] {
  return all.filter((tag) => tag === `sha256-${hex}` || tag.startsWith(`sha256-${hex}.`));
}

/**
 * A manifest with its tags, and what is attached to it (signatures, SBOMs) that nothing else needs. A manifest that an index
 * in the repository needs is refused: pulls of that platform would break.
 */
export function imageRemoval(store: Store, repository: string, hex: string): Removal {
  const { manifests, tags } = readManifests(store, repository);
  const digest = digestOf(hex);
  const revision = `${revisionsFolder(repositoryFolder(repository))}/${hex}`;
  if (!isThere(`${store.root}/${revision}/link`)) {
    throw new RegctlError("not-found", `${repository} has no manifest ${digest}`, {
      hint: `regctl tags ${repository} lists the digests of its tags`,
    });
  }
  for (const [parent, { children }] of manifests) {
    if (parent === hex || !children.includes(digest)) continue;
    const named = (tags.get(parent) ?? []).map((tag) => `${repository}:${tag}`);
    throw new RegctlError(
      "conflict",
      `${digest} is a platform of the index ${digestOf(parent)}${named.length > 0 ? ` (${named.join(", ")})` : ""}, which would break`,
      { hint: `remove the index: regctl rm-image ${repository}@${digestOf(parent)}` },
    );
  }
  const attached = attachedTags(tagsOf(store, repository), hex);
  const gone = new Set([...(tags.get(hex) ?? []), ...attached]);
  const roots = [...tags].filter(([, names]) => names.some((name) => !gone.has(name))).map(([root]) => root);
  const referrers = [...manifests].filter(([, { subject }]) => subject === digest).map(([referrer]) => referrer);
  const fallbacks = attached.map((tag) => tagTarget(store, repository, tag)).filter((each) => each !== undefined);
  const kept = neededRevisions(
    [
      ...roots,
      ...[...manifests.keys()].filter((each) => each !== hex && !referrers.includes(each) && !fallbacks.includes(each)),
    ],
    new Map([...manifests].filter(([each]) => each !== hex)),
  );
  const companions = [...new Set([...referrers, ...fallbacks])].filter((each) => !kept.has(each));
  const goneTags = [...gone].sort();
  return {
    kind: "rm-image",
    removed: [
      ...goneTags.map((tag) => removedTag(store, repository, tag)),
      ...[hex, ...companions].map((each) => ({ repository, digest: digestOf(each) })),
    ],
    paths: [
      ...goneTags.map((tag) => tagPath(repository, tag)),
      ...[hex, ...companions].map((each) => `${revisionsFolder(repositoryFolder(repository))}/${each}`),
    ],
  };
}
