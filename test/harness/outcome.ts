/** What is known after a group of actions that ran at the same time. */
import { type Facts, factsOf, type RepositoryFacts, surelyNeeded, type TrashedFacts } from "./facts.ts";
import type { Push } from "./pushes.ts";

export interface TrashListing {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly expires: string;
  readonly removed: readonly { readonly repository: string; readonly tag?: string; readonly digest?: string }[];
}

export interface GroupOutcome {
  readonly pushes: readonly Push[];
  /** Entries of the trash afterwards. */
  readonly listing: readonly TrashListing[];
  /** What was removed for good at once, as if it had been an entry. */
  readonly purged: readonly TrashListing[];
  /** Entries that were brought back; false = the command was killed. */
  readonly undone: ReadonlyMap<string, boolean>;
  /** Entries that may be gone for good: purged, or expired by the clock of a command of the group. */
  isPurgeable(id: string, expires: number): boolean;
  readonly isUntaggedCollected: boolean;
}

/** Brings the facts up to date; gives back what went wrong by itself. */
export function learn(facts: Facts, group: GroupOutcome): string[] {
  const wrong: string[] = [];
  for (const { repository, tag, manifest } of group.pushes) {
    facts.manifests.set(manifest.digest, manifest);
    if (tag !== undefined) facts.tagged.add(repository);
  }
  const created = [...group.listing.filter(({ id, kind }) => kind !== "gc" && !facts.trash.has(id)), ...group.purged];
  for (const entry of created) moveToTrash(facts, entry, group.pushes);
  for (const { id } of group.purged) forgetPurged(facts, id);
  addPushes(facts, group.pushes, created);
  const listed = new Map(group.listing.map((entry) => [entry.id, entry]));
  for (const [id, trashed] of [...facts.trash]) {
    const entry = listed.get(id);
    const isUndone = group.undone.get(id);
    if (isUndone !== undefined) {
      // Killed, it may be that a collection purged the entry.
      if (!isUndone && entry === undefined && group.isPurgeable(id, trashed.expires))
        for (const each of trashed.repositories.values()) makeUnsure(each);
      undo(facts, id, trashed, entry, group.pushes);
    } else if (entry === undefined) {
      if (!group.isPurgeable(id, trashed.expires)) wrong.push(`the entry ${id} of the trash is gone`);
      forgetPurged(facts, id);
    }
  }
  if (group.isUntaggedCollected) {
    // The collection may have come before a removal of the same group.
    for (const { id } of created) forgetUntaggedIn(facts, facts.trash.get(id));
    forgetUntagged(facts);
  }
  return wrong;
}

/** A registry that was killed left these files half written: the tags among them are gone. */
export function forgetMended(facts: Facts, paths: readonly string[]): void {
  for (const path of paths) {
    const [, repository, tag] = /repositories\/(.+)\/_manifests\/tags\/([^/]+)\/current\/link$/.exec(path) ?? [];
    if (repository === undefined || tag === undefined) continue;
    for (const all of [facts.repositories, ...[...facts.trash.values()].map(({ repositories }) => repositories)]) {
      const fact = all.get(repository)?.tags.get(tag);
      if (fact !== undefined) all.get(repository)?.tags.set(tag, { ...fact, certainty: "may" });
    }
  }
}

function pushesTo(pushes: readonly Push[], repository: string, tag?: string): Push[] {
  return pushes.filter((push) => push.repository === repository && (tag === undefined || push.tag === tag));
}

function moveToTrash(facts: Facts, entry: TrashListing, pushes: readonly Push[]): void {
  const trashed: TrashedFacts = {
    kind: entry.kind,
    expires: Date.parse(entry.expires),
    named: JSON.stringify(entry.removed),
    repositories: new Map(),
  };
  facts.trash.set(entry.id, trashed);
  for (const { repository, tag, digest } of entry.removed) {
    const here = factsOf(facts.repositories, repository);
    const there = factsOf(trashed.repositories, repository);
    if (tag !== undefined) {
      const fact = here.tags.get(tag);
      const isUnsure = pushesTo(pushes, repository, tag).length > 0;
      if (fact !== undefined) there.tags.set(tag, isUnsure ? { ...fact, certainty: "may" } : fact);
      here.tags.delete(tag);
      const certainty = digest === undefined ? undefined : here.revisions.get(digest);
      if (entry.kind !== "prune" || digest === undefined || certainty === undefined) continue;
      // With the tag goes what it pointed at, unless something else needs that.
      there.revisions.set(digest, certainty);
      here.revisions.set(digest, "may");
    } else if (digest !== undefined) {
      const certainty = here.revisions.get(digest);
      const isUnsure = pushes.some((push) => push.repository === repository && needs(push, digest));
      if (certainty !== undefined) there.revisions.set(digest, isUnsure ? "may" : certainty);
      here.revisions.delete(digest);
    } else {
      const isUnsure = pushesTo(pushes, repository).length > 0;
      for (const [hex, certainty] of here.revisions) there.revisions.set(hex, isUnsure ? "may" : certainty);
      for (const [name, fact] of here.tags) there.tags.set(name, isUnsure ? { ...fact, certainty: "may" } : fact);
      // What came back by a push at the same time is added with the pushes.
      here.revisions.clear();
      here.tags.clear();
    }
  }
}

const needs = ({ manifest }: Push, digest: string): boolean =>
  manifest.digest === digest || manifest.children.includes(digest) || manifest.subject === digest;

/** Whether a removal at the same time may have taken what was pushed: it named that, and did not decide by what it found. */
function isDisputed(created: readonly TrashListing[], push: Push, pushes: readonly Push[]): boolean {
  const { repository, tag, manifest } = push;
  // Without a tag, or with one that moved on, it may have been a leftover when it was looked at.
  const isReplaced =
    tag === undefined || pushesTo(pushes, repository, tag).some((other) => other.manifest.digest !== manifest.digest);
  return created.some(({ kind, removed }) =>
    removed.some((one) => {
      if (one.repository !== repository) return false;
      if (one.tag === undefined && one.digest === undefined) return true;
      if (kind === "prune") return one.digest === manifest.digest && (isReplaced || one.tag === tag);
      if (one.tag === undefined) return one.digest === manifest.digest;
      return one.tag === tag && (kind === "rm-tag" || one.digest === manifest.digest);
    }),
  );
}

function addPushes(facts: Facts, pushes: readonly Push[], created: readonly TrashListing[]): void {
  for (const push of pushes) {
    const { repository, tag, manifest, outcome } = push;
    if (outcome === "refused") continue;
    const here = factsOf(facts.repositories, repository);
    const isSure = outcome === "told" && !isDisputed(created, push, pushes);
    const others = pushesTo(pushes, repository, tag).filter((other) => other !== push && other.outcome !== "refused");
    if (outcome === "told") facts.incomplete.delete(`${repository}@${manifest.digest}`);
    if (isSure) here.revisions.set(manifest.digest, "must");
    else if (here.revisions.get(manifest.digest) === undefined) here.revisions.set(manifest.digest, "may");
    if (tag === undefined) continue;
    const before = here.tags.get(tag);
    const isAlone = isSure && others.every((other) => other.manifest.digest === manifest.digest);
    here.tags.set(
      tag,
      isAlone
        ? { digests: new Set([manifest.digest]), certainty: "must" }
        : {
            digests: new Set([...(before?.digests ?? []), manifest.digest]),
            certainty: isSure ? "must" : (before?.certainty ?? "may"),
          },
    );
  }
  removeIfTrashed(facts, created, pushes);
}

/** What other removals took and may bring back can need what is gone for good now. */
function forgetPurged(facts: Facts, id: string): void {
  const purged = facts.trash.get(id);
  facts.trash.delete(id);
  for (const [repository, { revisions }] of purged?.repositories ?? []) {
    const gone = new Set(
      [...revisions.keys()].filter((digest) => !facts.repositories.get(repository)?.revisions.has(digest)),
    );
    for (let before = -1; before !== gone.size; ) {
      before = gone.size;
      for (const [digest, { children }] of facts.manifests)
        if (children.some((child) => gone.has(child))) gone.add(digest);
    }
    for (const digest of gone) facts.incomplete.add(`${repository}@${digest}`);
    for (const { repositories } of facts.trash.values()) {
      const there = repositories.get(repository);
      for (const digest of gone) if (there?.revisions.has(digest)) there.revisions.set(digest, "may");
      for (const [tag, fact] of there?.tags ?? [])
        if ([...fact.digests].some((digest) => gone.has(digest))) there?.tags.set(tag, { ...fact, certainty: "may" });
    }
  }
}

/** A whole repository was removed while clients pushed to it: each of its images is here, or gone, or there. */
function removeIfTrashed(facts: Facts, created: readonly TrashListing[], pushes: readonly Push[]): void {
  for (const { removed } of created) {
    for (const { repository, tag, digest } of removed) {
      if (tag !== undefined || digest !== undefined || pushesTo(pushes, repository).length === 0) continue;
      makeUnsure(factsOf(facts.repositories, repository));
    }
  }
}

function makeUnsure({ revisions, tags }: RepositoryFacts): void {
  for (const digest of revisions.keys()) revisions.set(digest, "may");
  for (const [tag, fact] of tags) tags.set(tag, { ...fact, certainty: "may" });
}

function undo(
  facts: Facts,
  id: string,
  trashed: TrashedFacts,
  entry: TrashListing | undefined,
  pushes: readonly Push[],
): void {
  // An undo that was killed before it began leaves the entry as it was; one with conflicts leaves those alone.
  const isKept = (repository: string, tag: string) =>
    entry?.removed.some((one) => one.repository === repository && one.tag === tag) === true;
  const isUntouched = entry !== undefined && JSON.stringify(entry.removed) === trashed.named;
  if (isUntouched) return;
  for (const [repository, { revisions, tags }] of trashed.repositories) {
    const here = factsOf(facts.repositories, repository);
    for (const [digest, certainty] of revisions) {
      if (here.revisions.get(digest) !== "must") here.revisions.set(digest, certainty);
    }
    revisions.clear();
    for (const [tag, fact] of tags) {
      if (isKept(repository, tag)) continue;
      const before = here.tags.get(tag);
      const isPushed = pushesTo(pushes, repository, tag).length > 0;
      if (before === undefined && !isPushed) here.tags.set(tag, fact);
      else if (before !== undefined && (isPushed || before.certainty === "may"))
        here.tags.set(tag, { digests: new Set([...before.digests, ...fact.digests]), certainty: fact.certainty });
      tags.delete(tag);
    }
  }
  if (entry === undefined) facts.trash.delete(id);
}

/** A collection with --untagged took what no tag needs, as far as that is known. */
function forgetUntagged(facts: Facts): void {
  for (const [repository, { revisions }] of facts.repositories) {
    if (!facts.tagged.has(repository)) continue;
    const needed = surelyNeeded(facts, repository);
    for (const digest of [...revisions.keys()]) if (!needed.has(digest)) revisions.set(digest, "may");
  }
}

function forgetUntaggedIn(facts: Facts, trashed: TrashedFacts | undefined): void {
  for (const [repository, { revisions, tags }] of trashed?.repositories ?? []) {
    if (!facts.tagged.has(repository)) continue;
    const targets = new Set([...tags.values()].flatMap(({ digests }) => (digests.size === 1 ? [...digests] : [])));
    for (const digest of revisions.keys()) if (!targets.has(digest)) revisions.set(digest, "may");
  }
}
