/** A repository's links to layers and configurations, and whether those its manifests need are there. */
import { blobData, blobFolder, digestOf, hexOf, layersFolder, revisionsFolder } from "../storage/layout.ts";
import { readSmallFile } from "../storage/small-file.ts";
import { type Affected, affectedBy, type Manifests } from "./fsck-affected.ts";
import type { Finding, Repair } from "./fsck-finding.ts";
import type { Look } from "./fsck-look.ts";
import { brokenLink, isDeleted, type Revisions } from "./fsck-revisions.ts";

export interface Layers {
  /** Hexadecimal digests with a link, be it a broken one. */
  readonly linked: ReadonlySet<string>;
  /** What digests of other algorithms stand for. */
  readonly aliases: ReadonlyMap<string, string>;
}

const setLinkAside = (look: Look, folder: string, reads: string): Repair => ({
  how: "set-aside",
  paths: [folder],
  given: look.given(folder, reads),
});

function readAliases(look: Look, algorithm: string, aliases: Map<string, string>): void {
  const parent = `${look.folder}/_layers/${algorithm}`;
  for (const encoded of look.folders(parent)) {
    const folder = `${parent}/${encoded}`;
    const link = look.link(folder);
    if ("unreadable" in link || link.reads === undefined) continue;
    const hex = hexOf(link.reads);
    if (hex !== undefined) {
      aliases.set(`${algorithm}:${encoded}`, hex);
      continue;
    }
    const { kind, message } = brokenLink(link.reads, `a link to a layer of ${look.shown}`);
    look.report(kind, message, { path: `${folder}/link`, repair: setLinkAside(look, folder, link.reads) });
  }
}

/** `isNeeded` is asked for what a manifest needs; that it is gone is told with those manifests. */
export function checkLayerLinks(look: Look, isNeeded: (hex: string) => boolean): Layers {
  const linked = new Set<string>();
  const aliases = new Map<string, string>();
  for (const algorithm of look.folders(`${look.folder}/_layers`))
    if (algorithm !== "sha256") readAliases(look, algorithm, aliases);
  const parent = layersFolder(look.folder);
  for (const hex of look.digestFolders(parent)) {
    const folder = `${parent}/${hex}`;
    const link = look.link(folder);
    if ("reads" in link && link.reads === undefined) continue;
    linked.add(hex);
    if ("unreadable" in link) continue;
    const reads = link.reads as string;
    const where = { digest: digestOf(hex), path: `${folder}/link` };
    const isThere = look.blob(hex) !== "missing";
    if (reads !== where.digest) {
      const { kind, message } = brokenLink(reads, `the link to layer ${where.digest} of ${look.shown}`);
      const repair: Repair = isThere ? { how: "write-link", folder, hex, reads } : setLinkAside(look, folder, reads);
      look.report(kind, message, { ...where, repair });
    } else if (!isThere && !isNeeded(hex) && look.collectedIn(hex) === undefined) {
      const message = `${look.shown} links the layer ${where.digest}, which is gone and which no manifest of it needs`;
      const repair: Repair = { how: "set-aside", paths: [folder], given: { missing: hex } };
      look.report("dangling-layer-link", message, { ...where, repair });
    }
  }
  return { linked, aliases };
}

/** Layers that are never pushed: clients get them elsewhere (`urls`; OCI image specification, non-distributable layers). */
function isForeign(look: Look, manifestHex: string, digest: string): boolean {
  const content = readSmallFile(`${look.root}/${blobData(manifestHex)}`);
  if (content === undefined) return false;
  const { layers } = JSON.parse(content.toString("utf8")) as { readonly layers?: readonly unknown[] };
  return (layers ?? []).some((layer) => {
    const { digest: own, urls } = layer as { readonly digest?: unknown; readonly urls?: unknown };
    return own === digest && Array.isArray(urls) && urls.length > 0;
  });
}

/** Manifests (hexadecimal) by the digest they need. */
export function needsOf(manifests: Manifests, key: "blobs" | "children"): Map<string, string[]> {
  const needs = new Map<string, string[]>();
  for (const [hex, references] of manifests) {
    for (const digest of new Set(references[key])) {
      const by = needs.get(digest);
      if (by === undefined) needs.set(digest, [hex]);
      else by.push(hex);
    }
  }
  return needs;
}

function reportMissing(look: Look, digest: string, hex: string | undefined, { shown, verb, where }: Affected): void {
  const entry = hex === undefined ? undefined : look.collectedIn(hex);
  const then =
    entry === undefined ? "which is not in the store: push the image again" : `which is in the trash (${entry})`;
  look.report("missing-blob", `${shown} ${verb("need")} ${digest}, ${then}`, {
    ...where,
    digest,
    ...(entry === undefined || hex === undefined ? {} : { repair: { how: "bring-back", entry, hex } as const }),
  });
}

export function reportNeededBlobs(
  look: Look,
  needs: ReadonlyMap<string, string[]>,
  layers: Layers,
  tagged: ReadonlyMap<string, string[]>,
): void {
  for (const [digest, by] of needs) {
    const hex = hexOf(digest) ?? layers.aliases.get(digest);
    const state = hex === undefined ? "missing" : look.blob(hex);
    if (state === "present" && (layers.linked.has(hex as string) || hexOf(digest) === undefined)) continue;
    const needing = by.filter((manifest) => state === "damaged" || !isForeign(look, manifest, digest));
    if (needing.length === 0) continue;
    const affected = affectedBy(look.name, needing, tagged);
    if (hex === undefined || state === "missing") {
      reportMissing(look, digest, hex, affected);
    } else if (state === "damaged") {
      look.report("corrupt-blob", `${affected.shown} ${affected.verb("need")} ${digest}, which is damaged`, {
        ...affected.where,
        digest,
        path: blobFolder(hex),
        repair: { how: "set-aside", paths: [blobFolder(hex)], given: { damaged: hex } },
      });
    } else {
      const folder = `${layersFolder(look.folder)}/${hex}`;
      const message = `${affected.shown} cannot be pulled: the blob ${digest} is there, and no link of ${look.shown} leads to it`;
      const where: Partial<Finding> = { ...affected.where, digest, path: `${folder}/link` };
      look.report("missing-link", message, { ...where, repair: { how: "write-link", folder, hex, reads: undefined } });
    }
  }
}

/** Manifests that indexes name. */
export function reportNeededManifests(
  look: Look,
  needs: ReadonlyMap<string, string[]>,
  revisions: Revisions,
  tagged: ReadonlyMap<string, string[]>,
): void {
  for (const [digest, by] of needs) {
    const hex = hexOf(digest);
    const revision = hex === undefined ? undefined : revisions.get(hex);
    const isLinked = revision !== undefined && !isDeleted(revision);
    if (isLinked && revision.manifest?.state !== "missing") continue;
    const affected = affectedBy(look.name, by, tagged);
    const folder = `${revisionsFolder(look.folder)}/${hex}`;
    // Its own link is reported, and goes.
    if (hex === undefined || isLinked || look.blob(hex) === "missing") {
      reportMissing(look, digest, hex, affected);
      continue;
    }
    const where: Partial<Finding> = { ...affected.where, digest, path: `${folder}/link` };
    if (revision === undefined && look.manifest(hex).state === "ok") {
      const message = `${affected.shown} cannot be pulled whole: the manifest ${digest} is there, and no link of ${look.shown} leads to it`;
      look.report("missing-link", message, { ...where, repair: { how: "write-link", folder, hex, reads: undefined } });
    } else {
      const message = `${affected.shown} ${affected.verb("name")} the manifest ${digest}, which was deleted: push it again, or remove what names it`;
      look.report("missing-link", message, where);
    }
  }
}
