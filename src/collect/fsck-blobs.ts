/** Looks at blobs: whether each is where it belongs, is a file, and has its digest. */
import { type Dirent, lstatSync } from "node:fs";
import { messageOf, systemCodeOf } from "../errors.ts";
import { fillShelf, openIndex, type Shelf } from "../storage/blob-index.ts";
import { BLOBS, blobData, blobFolder, digestOf, isHex } from "../storage/layout.ts";
import { entriesOf } from "../storage/repositories.ts";
import { type Finding, shownName, strayFinding } from "./fsck-finding.ts";
import { hashFile } from "./fsck-hash.ts";

/** Marks of a check, beside those of a collection. */
export const PRESENT = 4;
export const SELECTED = 8;
export const DAMAGED = 16;
/** Moved to the trash since. */
export const GONE = 32;

/** Which blobs to hash: everything, a share by chance, or what was written since (ms since 1970); undefined = none. */
export type Selection = { readonly share: number } | { readonly sinceMs: number } | undefined;

export interface Weighed {
  readonly shelf: Shelf | undefined;
  readonly count: number;
  readonly bytes: number;
  readonly selected: number;
  readonly selectedBytes: number;
  readonly findings: readonly Finding[];
}

const prefixOf = (first: number): string => first.toString(16).padStart(2, "0");

/** What lies among the 256 folders of blobs and is none of them. */
export function strayPrefixes(root: string): Finding[] {
  return entriesOf(`${root}/${BLOBS}`)
    .filter((entry) => !entry.isDirectory() || !/^[0-9a-f]{2}$/.test(entry.name))
    .map((entry) => strayFinding(entry, `${BLOBS}/${entry.name}`));
}

function isSelected(selection: Selection, mtimeMs: number): boolean {
  if (selection === undefined) return false;
  return "share" in selection ? Math.random() < selection.share : mtimeMs >= selection.sinceMs;
}

/** The blobs whose digest begins with this byte. */
export function weighBlobs(root: string, first: number, selection: Selection): Weighed {
  const folder = `${BLOBS}/${prefixOf(first)}`;
  const findings: Finding[] = [];
  const total = { count: 0, bytes: 0, selected: 0, selectedBytes: 0 };
  if (lstatSync(`${root}/${folder}`, { throwIfNoEntry: false })?.isDirectory() !== true)
    return { shelf: undefined, ...total, findings };
  const names: string[] = [];
  let entries: Dirent[] = [];
  try {
    entries = entriesOf(`${root}/${folder}`);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    findings.push({ kind: "unreadable", path: folder, message: `${folder} cannot be read: ${systemCodeOf(error)}` });
  }
  for (const entry of entries) {
    if (entry.isDirectory() && isHex(entry.name) && entry.name.startsWith(prefixOf(first))) names.push(entry.name);
    else findings.push(strayFinding(entry, `${folder}/${entry.name}`));
  }
  const shelf = fillShelf(first, names);
  const index = openIndex([shelf]);
  const { begin, end } = index.numbersOf(first);
  for (let blob = begin; blob < end; blob++) {
    const hex = index.hexOf(blob);
    const found = weigh(root, hex);
    if (found.finding !== undefined) findings.push(found.finding);
    if (found.bytes === undefined) continue;
    index.set(blob, PRESENT);
    total.count += 1;
    total.bytes += found.bytes;
    if (!isSelected(selection, found.mtimeMs)) continue;
    index.set(blob, SELECTED);
    total.selected += 1;
    total.selectedBytes += found.bytes;
  }
  return { shelf, ...total, findings };
}

type Weight = { readonly bytes: number | undefined; readonly mtimeMs: number; readonly finding?: Finding };

function weigh(root: string, hex: string): Weight {
  const where = { digest: digestOf(hex), path: blobFolder(hex) };
  try {
    const data = lstatSync(`${root}/${blobData(hex)}`, { throwIfNoEntry: false });
    if (data?.isFile() === true) return { bytes: data.size, mtimeMs: data.mtimeMs };
    if (data === undefined) {
      const repair = { how: "set-aside", paths: [where.path], given: { withoutData: where.path } } as const;
      const message = `the folder of blob ${where.digest} has no data`;
      return { bytes: undefined, mtimeMs: 0, finding: { kind: "blob-without-data", ...where, message, repair } };
    }
    const isLink = data.isSymbolicLink();
    const message = `the data of ${where.digest} is ${isLink ? "a symbolic link, which is not followed; put the file it leads to in its place" : "not a file"}`;
    return { bytes: undefined, mtimeMs: 0, finding: { kind: "not-a-file", ...where, message } };
  } catch (error) {
    return { bytes: undefined, mtimeMs: 0, finding: unreadableBlob(hex, error) };
  }
}

function unreadableBlob(hex: string, error: unknown): Finding {
  const where = { digest: digestOf(hex), path: blobFolder(hex) };
  const isFile = systemCodeOf(error) !== "ELOOP" && systemCodeOf(error) !== "EISDIR";
  const kind = isFile ? "unreadable" : "not-a-file";
  return { kind, ...where, message: `the blob ${where.digest} cannot be read: ${shownName(messageOf(error))}` };
}

export function damagedBlob(hex: string, actual: { readonly hex: string; readonly bytes: number }): Finding {
  const where = { digest: digestOf(hex), path: blobFolder(hex) };
  return {
    kind: "corrupt-blob",
    ...where,
    message: `the blob ${where.digest} is damaged: its ${actual.bytes} bytes have the digest ${digestOf(actual.hex)}`,
    repair: { how: "set-aside", paths: [where.path], given: { damaged: hex } },
  };
}

/** What is wrong with a blob's content; undefined = nothing, or it is gone. */
export function* checkContent(
  root: string,
  hex: string,
  onBytes?: (bytes: number) => void,
): Generator<void, Finding | undefined> {
  try {
    const actual = yield* hashFile(`${root}/${blobData(hex)}`, onBytes);
    return actual === undefined || actual.hex === hex ? undefined : damagedBlob(hex, actual);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return unreadableBlob(hex, error);
  }
}
