/** One repository under the eye of a check: reads of its links and manifests that never throw for what is in a store. */
import { hash } from "node:crypto";
import { type Dirent, lstatSync } from "node:fs";
import { messageOf, systemCodeOf } from "../errors.ts";
import type { BlobIndex } from "../storage/blob-index.ts";
import { blobData, blobFolder, isHex } from "../storage/layout.ts";
import { type ManifestReferences, parseManifest } from "../storage/manifest.ts";
import { entriesOf } from "../storage/repositories.ts";
import { readLink, readSmallFile } from "../storage/small-file.ts";
import { DAMAGED, GONE, PRESENT } from "./fsck-blobs.ts";
import { type Finding, type Given, shownName, strayFinding } from "./fsck-finding.ts";

export interface LookOptions {
  readonly root: string;
  readonly index: BlobIndex;
  readonly nowMs: number;
  /** Entries of the trash that collections keep blobs in. */
  readonly collected: readonly { readonly id: string; readonly folder: string }[];
}

/** `reads` is undefined when there is no link, empty when a crash or a full disk cut it off. */
export type Link = { readonly reads: string | undefined } | { readonly unreadable: true };

export type ReadManifest =
  | { readonly state: "ok"; readonly references: ManifestReferences }
  | { readonly state: "missing" | "reported" }
  /** Its content does not have the digest, or has it and is no manifest. */
  | { readonly state: "damaged" | "no-manifest"; readonly why: string };

export type BlobState = "present" | "damaged" | "missing";

export interface Look extends LookOptions {
  readonly name: string;
  /** `name`, fit to be printed. */
  readonly shown: string;
  /** Relative to the root. */
  readonly folder: string;
  readonly findings: Finding[];
  report(kind: Finding["kind"], message: string, where: Partial<Finding>): void;
  blob(hex: string): BlobState;
  /** The entry of the trash that has a blob. */
  collectedIn(hex: string): string | undefined;
  /** `folder` is relative to the root, here and below. */
  link(folder: string): Link;
  given(folder: string, reads: string | undefined): Given;
  manifest(hex: string): ReadManifest;
  /** Folders in a folder; anything else in it is reported. */
  folders(folder: string): string[];
  /** Those whose name is a digest; anything else is reported. */
  digestFolders(folder: string): string[];
}

export function lookAt(name: string, folder: string, options: LookOptions): Look {
  const { root, index } = options;
  const findings: Finding[] = [];
  const report: Look["report"] = (kind, message, where) =>
    void findings.push({ kind, repository: name, message, ...where });

  const listed = (parent: string): readonly Dirent[] => {
    try {
      return entriesOf(`${root}/${parent}`);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      report("unreadable", `${shownName(parent)} cannot be read: ${systemCodeOf(error)}`, { path: parent });
      return [];
    }
  };

  const entryFolders = (parent: string, isRight: (entry: Dirent) => boolean): string[] => {
    const names: string[] = [];
    for (const entry of listed(parent)) {
      if (entry.isDirectory() && isRight(entry)) names.push(entry.name);
      else findings.push(strayFinding(entry, `${parent}/${entry.name}`, name));
    }
    return names;
  };

  const reportUnreadable = (path: string, error: unknown): void => {
    const code = systemCodeOf(error);
    const kind = code === "ELOOP" || code === "EISDIR" ? "not-a-file" : "unreadable";
    report(kind, `${shownName(path)} cannot be read: ${code ?? messageOf(error)}`, { path });
  };

  return {
    ...options,
    name,
    shown: shownName(name),
    folder,
    findings,
    report,
    blob(hex) {
      const blob = index.find(hex);
      if (blob >= 0 && index.has(blob, PRESENT) && !index.has(blob, GONE))
        return index.has(blob, DAMAGED) ? "damaged" : "present";
      const data = lstatSync(`${root}/${blobData(hex)}`, { throwIfNoEntry: false });
      // The registry follows links; that it is one was reported.
      return data === undefined || data.isDirectory() ? "missing" : "present";
    },
    collectedIn: (hex) =>
      options.collected.find(
        (entry) => lstatSync(`${root}/${entry.folder}/${blobData(hex)}`, { throwIfNoEntry: false }) !== undefined,
      )?.id,
    link(path) {
      try {
        return { reads: readLink(`${root}/${path}`) };
      } catch (error) {
        reportUnreadable(`${path}/link`, error);
        return { unreadable: true };
      }
    },
    given(path, reads) {
      const writtenMs = lstatSync(`${root}/${path}/link`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      return { link: path, reads, writtenMs };
    },
    manifest(hex) {
      let content: Buffer | undefined;
      try {
        content = readSmallFile(`${root}/${blobData(hex)}`);
      } catch (error) {
        if (systemCodeOf(error) === undefined) return { state: "no-manifest", why: "it is too large for one" };
        reportUnreadable(blobFolder(hex), error);
        return { state: "reported" };
      }
      if (content === undefined) return { state: "missing" };
      const actual = hash("sha256", content);
      if (actual !== hex)
        return { state: "damaged", why: `its ${content.length} bytes have the digest sha256:${actual}` };
      try {
        return { state: "ok", references: parseManifest(content.toString("utf8")) };
      } catch (error) {
        return { state: "no-manifest", why: shownName(messageOf(error)) };
      }
    },
    folders: (parent) => entryFolders(parent, () => true),
    digestFolders: (parent) => entryFolders(parent, (entry) => isHex(entry.name)),
  };
}

/** Whether anything was written to a folder of the store within so many milliseconds before `nowMs`. */
export function isYounger(path: string, nowMs: number, ageMs: number): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && nowMs - stat.mtimeMs < ageMs;
}
