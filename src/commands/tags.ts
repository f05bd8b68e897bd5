import { formatAge } from "../age.ts";
import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { type ListedTag, listTags, type TagOrder } from "../operations/tags.ts";
import { shownName, shownText } from "../shown-name.ts";
import { renderTable } from "../terminal/table.ts";
import { accessFlags, type LookFlags, warnOf } from "./access-flags.ts";

export interface TagsFlags extends LookFlags {
  readonly sort?: TagOrder;
}

const SHORT = "sha256:".length + 12;

function ageOf(time: number | undefined, nowMs: number): string {
  return time === undefined || Number.isNaN(time) ? "" : formatAge(time, nowMs);
}

function noteOf({ siblings, attached, problem }: ListedTag): string {
  if (problem !== undefined) return "broken";
  const notes = [
    ...(attached === undefined ? [] : [`${attached.kind} of ${attached.subject.slice(0, SHORT)}`]),
    ...(siblings.length === 0 ? [] : [`same as ${siblings.slice(0, 3).map(shownName).join(", ")}`]),
    ...(siblings.length > 3 ? [`and ${siblings.length - 3} more`] : []),
  ];
  return notes.join(" ");
}

function row(tag: ListedTag, nowMs: number): string[] {
  const { digest, kind, platforms, sizeBytes, pushedMs, created } = tag;
  return [
    shownName(tag.tag),
    digest?.slice(0, SHORT) ?? "",
    kind ?? "",
    shownText(platforms.join(",")),
    sizeBytes === undefined ? "" : formatBytes(sizeBytes),
    ageOf(pushedMs, nowMs),
    ageOf(created === undefined ? undefined : Date.parse(created), nowMs),
    noteOf(tag),
  ];
}

function dataOf({ pushedMs, attached, ...tag }: ListedTag) {
  return {
    tag: tag.tag,
    digest: tag.digest ?? null,
    sizeBytes: tag.sizeBytes ?? null,
    platforms: tag.platforms,
    pushed: pushedMs === undefined ? null : new Date(pushedMs).toISOString(),
    created: tag.created ?? null,
    kind: tag.kind ?? null,
    mediaType: tag.mediaType ?? null,
    siblings: tag.siblings,
    attachedTo: attached === undefined ? null : { digest: attached.subject, kind: attached.kind },
    problem: tag.problem ?? null,
  };
}

export async function tags(context: Context, repository: string, flags: TagsFlags): Promise<void> {
  const listed = await listTags(context, {
    ...(await accessFlags(context, flags)),
    repository,
    order: flags.sort ?? "name",
  });
  const nowMs = context.now().getTime();
  const broken = listed.tags.filter(({ problem }) => problem !== undefined);
  warnOf(
    context,
    broken.map(({ tag, problem }) => `${listed.repository}:${shownName(tag)}: ${shownText(problem ?? "")}`),
  );
  const text =
    listed.tags.length === 0
      ? `${listed.repository} has no tags`
      : renderTable(
          ["TAG", "DIGEST", "KIND", "PLATFORMS", "SIZE", "PUSHED", "BUILT", "NOTE"],
          listed.tags.map((tag) => row(tag, nowMs)),
        );
  const data = { source: listed.source, repository: listed.repository, tags: listed.tags.map(dataOf) };
  context.output.result("tags", data, text, listed.tags.map(({ tag }) => shownName(tag)).join("\n"));
}
