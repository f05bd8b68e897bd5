/** A repository's links to manifests, and the manifests. */
import { blobFolder, digestOf, revisionsFolder } from "../storage/layout.ts";
import { affectedBy } from "./fsck-affected.ts";
import type { Finding, Repair } from "./fsck-finding.ts";
import { isYounger, type Link, type Look, type ReadManifest } from "./fsck-look.ts";

export interface Revision {
  readonly link: Link;
  /** undefined = there is no link: it was deleted. */
  readonly manifest: ReadManifest | undefined;
}

/** By hexadecimal digest. */
export type Revisions = ReadonlyMap<string, Revision>;

/** A client has done with it by then. */
export const LEFTOVER_MS = 3_600_000;

export const isDeleted = ({ link }: Revision): boolean => "reads" in link && link.reads === undefined;

export function readRevisions(look: Look): Map<string, Revision> {
  const revisions = new Map<string, Revision>();
  const parent = revisionsFolder(look.folder);
  for (const hex of look.digestFolders(parent)) {
    const link = look.link(`${parent}/${hex}`);
    const revision = { link, manifest: undefined };
    revisions.set(hex, isDeleted(revision) ? revision : { link, manifest: look.manifest(hex) });
  }
  return revisions;
}

/** What a link that says something else than its folder is called. */
export function brokenLink(reads: string, what: string): Pick<Finding, "kind" | "message"> {
  if (reads === "") return { kind: "empty-link", message: `${what} is empty` };
  const isDigest = /^[a-z0-9+._-]+:[0-9a-f]{32,}$/.test(reads);
  return { kind: "foreign-link", message: `${what} names ${isDigest ? `another digest: ${reads}` : "no digest"}` };
}

function reportManifest(look: Look, hex: string, revision: Revision, tagged: ReadonlyMap<string, string[]>): void {
  const { manifest } = revision;
  if (manifest === undefined || manifest.state === "reported") return;
  if (manifest.state === "ok" && manifest.references.kind !== "schema1") return;
  const folder = `${revisionsFolder(look.folder)}/${hex}`;
  const digest = digestOf(hex);
  const { shown, where } = affectedBy(look.name, [hex], tagged);
  const reads = "reads" in revision.link ? revision.link.reads : undefined;
  const setLinkAside = (): Repair => ({ how: "set-aside", paths: [folder], given: look.given(folder, reads) });
  const report = (kind: Finding["kind"], message: string, path: string, repair?: Repair): void =>
    look.report(kind, message, { ...where, digest, path, ...(repair === undefined ? {} : { repair }) });
  switch (manifest.state) {
    case "ok":
      report("schema1", `${shown} has a schema 1 manifest, which stops distribution 3`, blobFolder(hex));
      break;
    case "missing": {
      const entry = look.collectedIn(hex);
      const message = `the manifest ${digest} of ${shown} is gone`;
      if (entry === undefined) report("missing-manifest", message, folder, setLinkAside());
      else
        report("missing-manifest", `${message}, but in the trash (${entry})`, folder, {
          how: "bring-back",
          entry,
          hex,
        });
      break;
    }
    case "damaged": {
      const path = blobFolder(hex);
      const message = `the manifest ${digest} of ${shown} is damaged: ${manifest.why}`;
      report("corrupt-manifest", message, path, { how: "set-aside", paths: [path], given: { damaged: hex } });
      break;
    }
    case "no-manifest":
      // The content is right and may be somebody's layer.
      report("corrupt-manifest", `${digest} of ${shown} is no manifest: ${manifest.why}`, folder, setLinkAside());
  }
}

/** `named` are those a tag or an index asks for: a folder of theirs says that they were deleted on purpose. */
export function reportRevisions(
  look: Look,
  revisions: Revisions,
  tagged: ReadonlyMap<string, string[]>,
  named: ReadonlySet<string>,
): void {
  for (const [hex, revision] of revisions) {
    const folder = `${revisionsFolder(look.folder)}/${hex}`;
    const digest = digestOf(hex);
    if (isDeleted(revision)) {
      const isKept = named.has(hex) || isYounger(`${look.root}/${folder}`, look.nowMs, LEFTOVER_MS);
      const setAside: Repair = { how: "set-aside", paths: [folder], given: look.given(folder, undefined) };
      look.report("revision-without-link", `${look.shown} has an empty folder for the deleted manifest ${digest}`, {
        digest,
        path: folder,
        ...(isKept ? {} : { repair: setAside }),
      });
      continue;
    }
    const isRight = "unreadable" in revision.link || revision.link.reads === digest;
    if (isRight) {
      reportManifest(look, hex, revision, tagged);
      continue;
    }
    const reads = "reads" in revision.link ? (revision.link.reads as string) : "";
    const { shown, where } = affectedBy(look.name, [hex], tagged);
    const { kind, message } = brokenLink(reads, `the link to the manifest ${digest} of ${shown}`);
    const isWhole = revision.manifest?.state === "ok";
    look.report(kind, isWhole ? message : `${message}, and there is no such manifest`, {
      ...where,
      digest,
      path: `${folder}/link`,
      repair: isWhole
        ? { how: "write-link", folder, hex, reads }
        : { how: "set-aside", paths: [folder], given: look.given(folder, reads) },
    });
  }
}
