/** A repository's tags: what each points at, and what it pointed at before. */
import { lstatSync } from "node:fs";
import { isTag } from "../registry/reference.ts";
import { digestOf, hexOf, revisionsFolder, tagsFolder } from "../storage/layout.ts";
import { type Repair, shownName } from "./fsck-finding.ts";
import type { Link, Look } from "./fsck-look.ts";
import { brokenLink, isDeleted, type Revisions } from "./fsck-revisions.ts";

/** The link of each tag. */
export type Tags = ReadonlyMap<string, Link>;

/** The registry writes a tag's history right before the tag. */
const TOGETHER_MS = 10_000;

export function readTags(look: Look): Tags {
  const tags = new Map<string, Link>();
  const parent = tagsFolder(look.folder);
  for (const tag of look.folders(parent)) {
    tags.set(tag, look.link(`${parent}/${tag}/current`));
    if (isTag(tag)) continue;
    const message = `no client can name the tag ${shownName(tag)} of ${look.shown}`;
    look.report("unreachable-name", message, { tag, path: `${parent}/${tag}` });
  }
  return tags;
}

export function targetsOf(tags: Tags): Map<string, string> {
  const targets = new Map<string, string>();
  for (const [tag, link] of tags) {
    const hex = hexOf("reads" in link ? (link.reads ?? "") : "");
    if (hex !== undefined) targets.set(tag, hex);
  }
  return targets;
}

const historyOf = (look: Look, tag: string): string => `${tagsFolder(look.folder)}/${tag}/index/sha256`;
const isWhole = (revisions: Revisions, hex: string): boolean => revisions.get(hex)?.manifest?.state === "ok";

/** Manifests a tag was put on, from its history, whose links are checked on the way: an empty one may stop a collector. */
function history(look: Look, tag: string, revisions: Revisions): string[] {
  const parent = historyOf(look, tag);
  const former: string[] = [];
  for (const hex of look.digestFolders(parent)) {
    const folder = `${parent}/${hex}`;
    const link = look.link(folder);
    if ("unreadable" in link || link.reads === undefined) continue;
    former.push(hex);
    if (link.reads === digestOf(hex)) continue;
    const { kind, message } = brokenLink(link.reads, `a link in the history of ${shownName(`${look.name}:${tag}`)}`);
    look.report(kind, message, {
      tag,
      digest: digestOf(hex),
      path: `${folder}/link`,
      repair: isWhole(revisions, hex)
        ? { how: "write-link", folder, hex, reads: link.reads }
        : { how: "set-aside", paths: [folder], given: look.given(folder, link.reads) },
    });
  }
  return former;
}

/** What a tag that lost its target pointed at; "unknown" = that cannot be told, "gone" = it can, or nothing is left of it. */
function formerTarget(
  look: Look,
  tag: string,
  former: readonly string[],
  revisions: Revisions,
): { readonly hex: string } | "unknown" | "gone" {
  const writtenMs = (folder: string): number =>
    lstatSync(`${look.root}/${folder}/link`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const targets = former
    .map((hex) => ({ hex, ms: writtenMs(`${historyOf(look, tag)}/${hex}`) }))
    .sort((a, b) => b.ms - a.ms);
  const [newest, second] = targets;
  if (newest === undefined) return "gone";
  if (former.some((hex) => !isWhole(revisions, hex) && look.collectedIn(hex) !== undefined)) return "unknown";
  const told = (hex: string) => (isWhole(revisions, hex) ? { hex } : "gone");
  if (second === undefined) return told(newest.hex);
  const tagMs = writtenMs(`${tagsFolder(look.folder)}/${tag}/current`);
  const isWrittenWith = ({ ms }: { readonly ms: number }) => Math.abs(tagMs - ms) < TOGETHER_MS;
  if (isWrittenWith(newest) && !isWrittenWith(second)) return told(newest.hex);
  return former.some((hex) => isWhole(revisions, hex)) ? "unknown" : "gone";
}

function reportLost(look: Look, tag: string, reads: string | undefined, revisions: Revisions): void {
  const folder = `${tagsFolder(look.folder)}/${tag}`;
  const what = `the link of the tag ${shownName(`${look.name}:${tag}`)}`;
  const broken =
    reads === undefined ? ({ kind: "dangling-tag", message: `${what} is missing` } as const) : brokenLink(reads, what);
  const former = history(look, tag, revisions);
  const target = formerTarget(look, tag, former, revisions);
  const path = `${folder}/current/link`;
  if (target === "unknown") {
    const choices = former.filter((hex) => isWhole(revisions, hex)).map(digestOf);
    const next = `push it again, or regctl rm-tag ${shownName(`${look.name}:${tag}`)}; it was one of ${choices.slice(0, 3).join(", ")}`;
    look.report(broken.kind, `${broken.message}, and what it pointed at cannot be told: ${next}`, { tag, path });
    return;
  }
  const repair: Repair =
    target === "gone"
      ? { how: "set-aside", paths: [folder], given: look.given(`${folder}/current`, reads) }
      : { how: "write-link", folder: `${folder}/current`, hex: target.hex, reads };
  const then = target === "gone" ? "nothing it pointed at is left" : `it pointed at ${digestOf(target.hex)}`;
  look.report(broken.kind, `${broken.message}; ${then}`, {
    tag,
    ...(target === "gone" ? {} : { digest: digestOf(target.hex) }),
    path,
    repair,
  });
}

function reportTarget(look: Look, tag: string, hex: string, reads: string, revisions: Revisions): void {
  const revision = revisions.get(hex);
  const folder = `${tagsFolder(look.folder)}/${tag}`;
  const where = { tag, digest: digestOf(hex), path: `${folder}/current/link` };
  const shown = shownName(`${look.name}:${tag}`);
  const setAside: Repair = { how: "set-aside", paths: [folder], given: look.given(`${folder}/current`, reads) };
  const dangling = (why: string, repair: Repair | undefined): void =>
    look.report("dangling-tag", `the tag ${shown} points at ${where.digest}, ${why}`, {
      ...where,
      ...(repair === undefined ? {} : { repair }),
    });
  if (revision === undefined) {
    const manifest = look.manifest(hex);
    if (manifest.state !== "ok") {
      dangling("which is not in the repository", setAside);
      return;
    }
    const link = `${revisionsFolder(look.folder)}/${hex}`;
    look.report("missing-link", `${shown} cannot be pulled: its manifest is there, and no link leads to it`, {
      ...where,
      path: `${link}/link`,
      repair: { how: "write-link", folder: link, hex, reads: undefined },
    });
  } else if (isDeleted(revision)) {
    dangling("which was deleted", setAside);
  } else if (revision.manifest?.state === "missing") {
    const isBroughtBack = look.collectedIn(hex) !== undefined;
    dangling("whose manifest is gone", isBroughtBack ? undefined : setAside);
  }
}

export function reportTags(look: Look, tags: Tags, revisions: Revisions): void {
  for (const [tag, link] of tags) {
    if ("unreadable" in link) continue;
    const hex = hexOf(link.reads ?? "");
    if (hex === undefined) {
      reportLost(look, tag, link.reads, revisions);
      continue;
    }
    reportTarget(look, tag, hex, link.reads as string, revisions);
    history(look, tag, revisions);
  }
}
