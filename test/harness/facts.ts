/** What clients were told is stored, as far as it can be known: what happened at the same time may have gone either way. */
import type { Descriptor } from "../support/push-client.ts";

export interface KnownManifest extends Descriptor {
  readonly data: Buffer;
  /** Configuration and layers, by content. */
  readonly blobs: readonly Buffer[];
  readonly children: readonly string[];
  readonly subject: string | undefined;
}

/** must: it pulls; may: it pulls, or the registry says 404. */
export type Certainty = "must" | "may";

export interface TagFact {
  /** What it may point at; more than one after pushes at the same time. */
  readonly digests: ReadonlySet<string>;
  readonly certainty: Certainty;
}

export interface RepositoryFacts {
  readonly revisions: Map<string, Certainty>;
  readonly tags: Map<string, TagFact>;
}

export interface TrashedFacts {
  readonly kind: string;
  /** ms since 1970. */
  readonly expires: number;
  /** What it says it holds, as text. */
  readonly named: string;
  readonly repositories: Map<string, RepositoryFacts>;
}

export interface Facts {
  readonly manifests: Map<string, KnownManifest>;
  readonly repositories: Map<string, RepositoryFacts>;
  readonly trash: Map<string, TrashedFacts>;
  /** `repository@digest` of what lost a part by a purge: its parts were removed one by one, and one of them for good. */
  readonly incomplete: Set<string>;
  /** Repositories that ever had a tag: in the others nothing is a leftover. */
  readonly tagged: Set<string>;
}

export function emptyFacts(): Facts {
  return { manifests: new Map(), repositories: new Map(), trash: new Map(), incomplete: new Set(), tagged: new Set() };
}

export function factsOf(all: Map<string, RepositoryFacts>, repository: string): RepositoryFacts {
  const found = all.get(repository) ?? { revisions: new Map(), tags: new Map() };
  all.set(repository, found);
  return found;
}

/** `repository`, digest: manifests a client may push again or refer to. */
export function knownRevisions(facts: Facts, repository?: string): { repository: string; digest: string }[] {
  return [...facts.repositories].flatMap(([name, { revisions }]) =>
    repository === undefined || name === repository
      ? [...revisions.keys()].map((digest) => ({ repository: name, digest }))
      : [],
  );
}

export function knownTags(facts: Facts): { repository: string; tag: string }[] {
  return [...facts.repositories].flatMap(([repository, { tags }]) =>
    [...tags.keys()].map((tag) => ({ repository, tag })),
  );
}

/** What the tags of a repository surely need: through indexes, and from manifests to what is attached to them. */
export function surelyNeeded(facts: Facts, repository: string): Set<string> {
  const here = factsOf(facts.repositories, repository);
  const trashed = [...facts.trash.values()].flatMap(({ repositories }) => repositories.get(repository) ?? []);
  const roots = trashed.flatMap(({ revisions, tags }) => [...revisions.keys(), ...sureTargets(tags)]);
  roots.push(...sureTargets(here.tags));
  const linked = new Set([...here.revisions.keys(), ...trashed.flatMap(({ revisions }) => [...revisions.keys()])]);
  const needed = new Set<string>();
  for (let before = -1; before !== needed.size; ) {
    before = needed.size;
    for (const digest of roots) needed.add(digest);
    for (const digest of needed) for (const child of facts.manifests.get(digest)?.children ?? []) needed.add(child);
    for (const digest of linked) {
      const subject = facts.manifests.get(digest)?.subject;
      if (subject !== undefined && needed.has(subject)) needed.add(digest);
    }
  }
  return needed;
}

function sureTargets(tags: RepositoryFacts["tags"]): string[] {
  return [...tags.values()].flatMap(({ digests, certainty }) =>
    certainty === "must" && digests.size === 1 ? [...digests] : [],
  );
}
