/** What `keep` leaves of the tags one rule decides about in one repository. */
import type { CompiledKeep } from "./compiled-policy.ts";
import { knownDate } from "./known-date.ts";
import type { TagFacts } from "./policy.ts";

export interface Answer {
  readonly keep: boolean;
  readonly because: string;
}

/** Tags on one digest are one image, as new as the newest of them. */
interface Image {
  readonly date: number;
  readonly name: string;
  readonly tags: readonly TagFacts[];
}

/** `1.10` after `1.9`: where dates tell nothing, as in a store copied without them, names often do. */
let byName: Intl.Collator | undefined;

function compareNames(one: string, other: string): number {
  // Made when it is needed: it costs more than a small plan.
  byName ??= new Intl.Collator("en", { numeric: true });
  return byName.compare(one, other) || (one < other ? -1 : 1);
}

function imagesOf(tags: readonly TagFacts[], dateOf: (tag: TagFacts) => number): Image[] {
  const byDigest = new Map<string, TagFacts[]>();
  for (const tag of tags) {
    const same = byDigest.get(tag.digest);
    if (same === undefined) byDigest.set(tag.digest, [tag]);
    else same.push(tag);
  }
  return [...byDigest.values()].map((same) => ({
    date: same.reduce((newest, tag) => Math.max(newest, dateOf(tag)), 0),
    name: same.map(({ tag }) => tag).reduce((last, name) => (compareNames(name, last) > 0 ? name : last)),
    tags: same,
  }));
}

/** Newest first; those of one date by name, the last one first. */
function newestFirst(images: readonly Image[]): Image[] {
  return [...images].sort((one, other) => other.date - one.date || compareNames(other.name, one.name));
}

function newestText(newest: number, by: string): string {
  return newest === 1 ? `the newest by ${by}` : `the ${newest} newest by ${by}`;
}

function removalText({ newest, newerThan, by }: CompiledKeep, done: string): string {
  const parts = [
    ...(newest === undefined || newest === 0 ? [] : [`older than ${newestText(newest, by)}`]),
    ...(newerThan === undefined ? [] : [`${done} more than ${newerThan} ago`]),
  ];
  return parts.length === 0 ? "it keeps none" : parts.join(", and ");
}

/** Kept is what either limit keeps, and every tag whose date is not known; those do not count among the newest. */
export function decideKeep(keep: CompiledKeep, tags: readonly TagFacts[], now: number): Map<TagFacts, Answer> {
  if (keep.all) return new Map(tags.map((tag) => [tag, { keep: true, because: "it keeps all" }]));
  const { newest = 0, newerThan, newerThanMs, by } = keep;
  const done = by === "push" ? "pushed" : "built";
  const dateOf = (tag: TagFacts) => knownDate(by === "push" ? tag.pushed : tag.built);
  const answers = new Map<TagFacts, Answer>();
  for (const tag of tags) {
    if (dateOf(tag) === undefined) answers.set(tag, { keep: true, because: `when it was ${done} is not known` });
  }
  const dated = imagesOf(
    tags.filter((tag) => !answers.has(tag)),
    (tag) => dateOf(tag) ?? 0,
  );
  const removal: Answer = { keep: false, because: removalText(keep, done) };
  const among: Answer = { keep: true, because: newest === 1 ? newestText(1, by) : `one of ${newestText(newest, by)}` };
  const recent: Answer = { keep: true, because: `${done} less than ${newerThan} ago` };
  newestFirst(dated).forEach(({ date, tags: same }, rank) => {
    const isRecent = newerThanMs !== undefined && now - date < newerThanMs;
    const answer = rank < newest ? among : isRecent ? recent : removal;
    for (const tag of same) answers.set(tag, answer);
  });
  return answers;
}
