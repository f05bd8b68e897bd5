/** What a check of the store found and how it can be put right. Plain data: it crosses threads. */
import type { Dirent } from "node:fs";
import type { Problem } from "./problems.ts";

/** What has to be true of things once they are in the trash: else somebody changed them meanwhile, and they go back. */
export type Given =
  /** A link's folder; what the link reads (undefined: there is none) and when it was written. */
  | { readonly link: string; readonly reads: string | undefined; readonly writtenMs: number }
  /** A blob (hexadecimal) that is not in the store. */
  | { readonly missing: string }
  /** A blob that was moved and does not have its digest. */
  | { readonly damaged: string }
  /** A blob's folder that was moved and has no data. */
  | { readonly withoutData: string }
  /** A repository's folder, without a manifest. */
  | { readonly withoutManifests: string }
  /** An upload's folder, and when it was last written to. */
  | { readonly upload: string; readonly writtenMs: number };

/** Paths are relative to the store. */
export type Repair =
  | { readonly how: "set-aside"; readonly paths: readonly string[]; readonly given: Given }
  /** The link of this folder, which reads that, is to name this blob, once that is known to have its digest. */
  | { readonly how: "write-link"; readonly folder: string; readonly hex: string; readonly reads: string | undefined }
  /** The blob is in an entry of the trash. */
  | { readonly how: "bring-back"; readonly entry: string; readonly hex: string };

export interface Finding extends Problem {
  /** Every tag that is affected; `tag` is the first. */
  readonly tags?: readonly string[];
  readonly repair?: Repair;
}

export function keyOf({ kind, repository, path, digest }: Finding): string {
  return [kind, repository, path, digest].join("\0");
}

/** Kinds by how much they cost: lost and damaged images first, leftovers last. */
const SEVERITY: readonly Finding["kind"][] = [
  "corrupt-manifest",
  "corrupt-blob",
  "unreadable",
  "not-a-file",
  "missing-manifest",
  "missing-blob",
  "missing-link",
  "empty-link",
  "foreign-link",
  "dangling-tag",
  "schema1",
  "unreachable-name",
  "misplaced",
  "orphaned-layers",
  "stale-upload",
  "dangling-layer-link",
  "blob-without-data",
  "revision-without-link",
];

export function bySeverity(findings: readonly Finding[]): Finding[] {
  const text = (finding: Finding) =>
    `${finding.repository ?? ""}\0${finding.tag ?? ""}\0${finding.digest ?? finding.path ?? ""}`;
  return findings
    .map((finding) => ({ finding, rank: SEVERITY.indexOf(finding.kind), text: text(finding) }))
    .sort((a, b) => a.rank - b.rank || (a.text < b.text ? -1 : Number(a.text > b.text)))
    .map(({ finding }) => finding);
}

/** The API leaves them whenever a manifest is deleted: nothing is wrong with them. */
export function isProblem({ kind }: Problem): boolean {
  return kind !== "revision-without-link";
}

const PLAIN = /^[\w.:@/+-]+$/;

/** A name somebody else chose, on one line and without a sequence a terminal would obey. */
export function shownName(name: string): string {
  if (PLAIN.test(name)) return name;
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(name).replace(/[^\x20-\x7e]/g, escaped);
}

function typeOf(entry: Dirent): string {
  if (entry.isSymbolicLink()) return "a symbolic link";
  if (entry.isFIFO()) return "a pipe";
  if (entry.isSocket()) return "a socket";
  return entry.isDirectory() ? "a folder" : entry.isFile() ? "a file" : "a device";
}

/** Something where distribution puts nothing of its kind; it is never followed. */
export function strayFinding(entry: Dirent, path: string, repository?: string): Finding {
  const isOrdinary = entry.isDirectory() || entry.isFile();
  const why = isOrdinary ? "does not belong there" : "is not followed; put what it leads to in its place";
  return {
    kind: isOrdinary ? "misplaced" : "not-a-file",
    ...(repository === undefined ? {} : { repository }),
    path,
    message: `${shownName(path)} is ${typeOf(entry)} that ${why}`,
  };
}
