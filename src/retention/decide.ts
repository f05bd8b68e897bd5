import type { RetentionPolicy } from "../config/config.ts";
import { type CompiledRule, compilePolicy } from "./compiled-policy.ts";
import { keptThroughOthers, subjectOfTag } from "./follow.ts";
import { type Answer, decideKeep } from "./keep.ts";
import { knownDate } from "./known-date.ts";
import type { InUse, TagFacts, UntaggedFacts, Verdict } from "./policy.ts";

const UNDECIDED = { keep: true, because: "no rule decides about it" } as const;

/**
 * One verdict for each tag, then one for each untagged manifest, in the order given. What is protected, in use, decided by
 * no rule or without a date is kept. A tag such as `sha256-<hex>.sig` is kept as long as the digest it names is, or is not among the
 * facts; an untagged manifest as long as a kept index lists it or its subject is kept. `now` is milliseconds since 1970.
 */
export function decide(
  policy: RetentionPolicy,
  repository: string,
  tags: readonly TagFacts[],
  untagged: readonly UntaggedFacts[],
  now: number,
  inUse: InUse,
): Verdict[] {
  const { protections, rules } = compilePolicy(policy);
  const protectedBy = protections.filter((protection) => protection.repository(repository));
  const rulesHere = rules.filter((rule) => rule.repository(repository));

  const exemption = (facts: UntaggedFacts, tag: string | undefined): Answer | undefined => {
    const protection = protectedBy.find((one) => one.tag === undefined || (tag !== undefined && one.tag(tag)));
    if (protection !== undefined) return { keep: true, because: `protected by ${protection.text}` };
    if (!policy.protectInUse) return undefined;
    const user =
      inUse(repository, tag, facts.digest) ??
      facts.children?.map((child) => inUse(repository, undefined, child)).find((one) => one !== undefined);
    return user === undefined ? undefined : { keep: true, because: `in use by ${user}` };
  };

  const verdicts = new Map<TagFacts | UntaggedFacts, Verdict>();
  const say = (facts: TagFacts | UntaggedFacts, answer: Answer, rule?: CompiledRule): void => {
    verdicts.set(facts, {
      tag: "tag" in facts ? facts.tag : undefined,
      digest: facts.digest,
      keep: answer.keep,
      rule: rule && { index: rule.index, description: rule.description },
      because: rule === undefined ? answer.because : `rule ${rule.index} (${rule.description}): ${answer.because}`,
    });
  };

  const decidedBy = new Map<CompiledRule, TagFacts[]>();
  const followers: TagFacts[] = [];
  for (const facts of tags) {
    const exempt = exemption(facts, facts.tag);
    if (exempt !== undefined) say(facts, exempt);
    else if (subjectOfTag(facts.tag) !== undefined) followers.push(facts);
    else {
      const rule = rulesHere.find((one) => one.keep !== undefined && one.tag(facts.tag));
      if (rule === undefined) say(facts, UNDECIDED);
      else {
        const decided = decidedBy.get(rule);
        if (decided === undefined) decidedBy.set(rule, [facts]);
        else decided.push(facts);
      }
    }
  }
  for (const [rule, decided] of decidedBy) {
    if (rule.keep === undefined) continue;
    for (const [facts, answer] of decideKeep(rule.keep, decided, now)) say(facts, answer, rule);
  }

  const untaggedRule = rulesHere.find((rule) => rule.untagged !== undefined);
  for (const facts of untagged) {
    const exempt = exemption(facts, undefined);
    if (exempt !== undefined || untaggedRule === undefined) say(facts, exempt ?? UNDECIDED);
    else say(facts, untaggedAnswer(facts, untaggedRule, now), untaggedRule);
  }

  if (followers.length + untagged.length > 0) {
    const kept = [...verdicts].filter(([, verdict]) => verdict.keep).map(([facts]) => facts);
    for (const [facts, answer] of keptThroughOthers(kept, { tags, followers, untagged })) {
      if (verdicts.get(facts)?.keep !== true) say(facts, answer);
    }
  }
  return [...tags, ...untagged].flatMap((facts) => verdicts.get(facts) ?? []);
}

function untaggedAnswer({ pushed }: UntaggedFacts, { untagged }: CompiledRule, now: number): Answer {
  const date = knownDate(pushed);
  if (untagged === undefined || date === undefined) return { keep: true, because: "when it was pushed is not known" };
  return now - date < untagged.olderThanMs
    ? { keep: true, because: `untagged, and pushed less than ${untagged.olderThan} ago` }
    : { keep: false, because: `untagged, and pushed more than ${untagged.olderThan} ago` };
}
