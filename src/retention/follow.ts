/** What stays because something else does: the manifests of an index, what refers to a kept subject. */
import type { Answer } from "./keep.ts";
import type { TagFacts, UntaggedFacts } from "./policy.ts";

/**
 * Signatures, attestations and SBOMs stand under such a tag where a registry has no referrers API
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema), or where cosign put them.
 */
const REFERRERS_TAG = /^sha256-([0-9a-f]{64})(?:\.[\w.-]+)?$/;

/** The digest a referrers tag speaks of; undefined for any other tag. */
export function subjectOfTag(tag: string): string | undefined {
  const hex = REFERRERS_TAG.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

function short(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

export interface Repository {
  readonly tags: readonly TagFacts[];
  /** Of the tags, those that follow their subject. */
  readonly followers: readonly TagFacts[];
  readonly untagged: readonly UntaggedFacts[];
}

/** Beginning with what is kept already: an answer for each follower, and for each untagged manifest that something kept needs. */
export function keptThroughOthers(
  kept: readonly (TagFacts | UntaggedFacts)[],
  { tags, followers, untagged }: Repository,
): Map<TagFacts | UntaggedFacts, Answer> {
  const answers = new Map<TagFacts | UntaggedFacts, Answer>();
  const everything = [...tags, ...untagged];
  const present = new Set(everything.flatMap(({ digest, children = [] }) => [digest, ...children]));
  const factsOf = grouped(everything, ({ digest }) => digest);
  const untaggedOf = grouped(untagged, ({ digest }) => digest);
  const followersOf = grouped(followers, ({ tag }) => subjectOfTag(tag));
  const referrersOf = grouped(untagged, ({ subject }) => subject);

  const open = kept.map(({ digest }) => ({ digest, because: "kept under a tag" }));
  for (const facts of followers) {
    const { digest } = facts;
    const subject = subjectOfTag(facts.tag) ?? "";
    // imgpkg tags what a bundle refers to from within a layer by its own digest: nothing else keeps it.
    const isOfItself = subject === digest;
    if (!isOfItself && present.has(subject)) continue;
    const because = isOfItself
      ? "its name is its own digest: it was set to keep the image"
      : `belongs to ${short(subject)}, which is not among the tags here`;
    answers.set(facts, { keep: true, because });
    open.push({ digest, because });
  }

  const reached = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { digest, because } = next;
    if (reached.has(digest)) continue;
    reached.add(digest);
    for (const facts of untaggedOf.get(digest) ?? []) answers.set(facts, { keep: true, because });
    const part = `part of ${short(digest)}, which is kept`;
    for (const { children = [] } of factsOf.get(digest) ?? []) {
      for (const child of children) open.push({ digest: child, because: part });
    }
    const belongs = `belongs to ${short(digest)}, which is kept`;
    for (const facts of [...(followersOf.get(digest) ?? []), ...(referrersOf.get(digest) ?? [])]) {
      if (!answers.has(facts)) answers.set(facts, { keep: true, because: belongs });
      open.push({ digest: facts.digest, because: belongs });
    }
  }
  for (const facts of followers) {
    const because = `belongs to ${short(subjectOfTag(facts.tag) ?? "")}, which is kept no longer`;
    if (!answers.has(facts)) answers.set(facts, { keep: false, because });
  }
  return answers;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
