/** Writes a link of the registry: whole or not at all, and only to a blob that has its digest. */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { systemCodeOf } from "../errors.ts";
import { blobData, digestOf } from "../storage/layout.ts";
import { readLink } from "../storage/small-file.ts";
import { hasDigest } from "./fsck-hash.ts";
import { type Aside, isBehindLink, setAside } from "./fsck-set-aside.ts";
import { entryFolder } from "./trash-entry.ts";

function writeNew(path: string, content: string, modified: Date | undefined): void {
  const descriptor = openSync(path, "w", 0o644);
  try {
    // As the registry makes them, whatever our own umask is.
    fchmodSync(descriptor, 0o644);
    writeSync(descriptor, content);
    // When a link was written tells what was pushed lately, and which link belongs to which.
    if (modified !== undefined) futimesSync(descriptor, modified, modified);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The old content, empty or not, stays in the trash beside what was moved. Undefined = there is none. */
function keepOld({ store, id, kept }: Aside, folder: string): string | undefined {
  const copy = `${store.root}/${entryFolder(id)}/${folder}`;
  mkdirSync(copy, { recursive: true });
  try {
    linkSync(`${store.root}/${folder}/link`, `${copy}/link`);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    if (systemCodeOf(error) !== "EEXIST") throw error;
  }
  kept.add(folder);
  return copy;
}

/** `unchanged`: the blob is damaged, or somebody else wrote the link. */
export type Written = "written" | "set-aside" | "unchanged";

export interface NewLink {
  readonly folder: string;
  /** The blob (hexadecimal) it is to name. */
  readonly hex: string;
  /** What it was found to read; undefined = there was none. */
  readonly reads: string | undefined;
}

/** A link that cannot be right, since its blob is not, is set aside. */
export async function writeLink(aside: Aside, { folder, hex, reads }: NewLink): Promise<Written> {
  const { root } = aside.store;
  const path = `${root}/${folder}/link`;
  if (isBehindLink(root, folder)) return "unchanged";
  const before = lstatSync(path, { throwIfNoEntry: false });
  const isUnchanged = () =>
    lstatSync(path, { throwIfNoEntry: false })?.mtimeMs === before?.mtimeMs && readLink(`${root}/${folder}`) === reads;
  if (!isUnchanged()) return "unchanged";
  if (!(await hasDigest(`${root}/${blobData(hex)}`, hex, aside.signal))) {
    if (before === undefined) return "unchanged";
    const given = { link: folder, reads, writtenMs: before.mtimeMs };
    return (await setAside(aside, [folder], given)) ? "set-aside" : "unchanged";
  }
  mkdirSync(`${root}/${folder}`, { recursive: true });
  const draft = `${root}/${entryFolder(aside.id)}/link.new`;
  writeNew(draft, digestOf(hex), before?.mtime);
  if (!isUnchanged()) return "unchanged";
  const old = keepOld(aside, folder);
  renameSync(draft, path);
  // distribution 2 writes into the very file that was kept.
  if (old === undefined || readLink(old) === reads) return "written";
  renameSync(`${old}/link`, path);
  return "unchanged";
}
