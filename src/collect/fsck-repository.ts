/** Everything about one repository: its manifests, tags, layers and uploads. */
import { hexOf, layersFolder, repositoryFolder, uploadsFolder } from "../storage/layout.ts";
import type { ManifestReferences } from "../storage/manifest.ts";
import { tagsByManifest } from "./fsck-affected.ts";
import { type Finding, shownName } from "./fsck-finding.ts";
import { checkLayerLinks, needsOf, reportNeededBlobs, reportNeededManifests } from "./fsck-layers.ts";
import { isYounger, type Look, type LookOptions, lookAt } from "./fsck-look.ts";
import { isDeleted, LEFTOVER_MS, type Revisions, readRevisions, reportRevisions } from "./fsck-revisions.ts";
import { readTags, reportTags, targetsOf } from "./fsck-tags.ts";
import { checkUploads } from "./fsck-uploads.ts";

export interface RepositoryCheck {
  readonly findings: readonly Finding[];
  readonly manifests: number;
  readonly tags: number;
}

function wholeManifests(revisions: Revisions): Map<string, ManifestReferences> {
  const manifests = new Map<string, ManifestReferences>();
  for (const [hex, { manifest }] of revisions) if (manifest?.state === "ok") manifests.set(hex, manifest.references);
  return manifests;
}

/** Its catalog still lists a repository nothing is left of; false = it may just be about to get its first manifest. */
function reportOrphaned(look: Look, hasLayers: boolean, isEmpty: boolean): boolean {
  if (!hasLayers || !isEmpty) return false;
  const folders = [layersFolder(look.folder), `${look.folder}/_layers`, uploadsFolder(look.folder)];
  if (folders.some((folder) => isYounger(`${look.root}/${folder}`, look.nowMs, LEFTOVER_MS))) return false;
  const paths = [`${look.folder}/_layers`, `${look.folder}/_manifests`];
  look.report("orphaned-layers", `${look.shown} has layers and no manifest: the catalog lists an empty repository`, {
    path: `${look.folder}/_layers`,
    repair: { how: "set-aside", paths, given: { withoutManifests: look.folder } },
  });
  return true;
}

const MANIFEST_PARTS: ReadonlySet<string> = new Set(["revisions", "tags"]);

function checkManifestParts(look: Look): void {
  const parent = `${look.folder}/_manifests`;
  for (const name of look.folders(parent)) {
    if (MANIFEST_PARTS.has(name)) continue;
    const path = `${parent}/${name}`;
    look.report("misplaced", `${shownName(path)} is a folder that does not belong there`, { path });
  }
}

export function checkRepository(name: string, parts: readonly string[], options: LookOptions): RepositoryCheck {
  const look = lookAt(name, repositoryFolder(name), options);
  if (parts.includes("_manifests")) checkManifestParts(look);
  const tags = readTags(look);
  const revisions = readRevisions(look);
  const manifests = wholeManifests(revisions);
  const targets = targetsOf(tags);
  const tagged = tagsByManifest(targets, manifests);
  const children = needsOf(manifests, "children");
  const named = new Set([...targets.values(), ...[...children.keys()].flatMap((digest) => hexOf(digest) ?? [])]);
  reportRevisions(look, revisions, tagged, named);
  reportTags(look, tags, revisions);
  const linked = [...revisions.values()].filter((revision) => !isDeleted(revision)).length;
  if (!reportOrphaned(look, parts.includes("_layers"), linked === 0 && tags.size === 0)) {
    const needs = needsOf(manifests, "blobs");
    const layers = checkLayerLinks(look, (hex) => needs.has(`sha256:${hex}`));
    reportNeededBlobs(look, needs, layers, tagged);
  }
  reportNeededManifests(look, children, revisions, tagged);
  checkUploads(look);
  return { findings: look.findings, manifests: linked, tags: tags.size };
}
