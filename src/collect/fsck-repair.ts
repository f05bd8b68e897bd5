/**
 * Puts right what a check found. Nothing is deleted: what cannot be healed goes to the trash, in one entry that `undo` brings
 * back whole. What is lost for good is never papered over.
 */
import { openIndex } from "../storage/blob-index.ts";
import { blobData, blobFolder, type Store } from "../storage/layout.ts";
import { GONE } from "./fsck-blobs.ts";
import type { Examination, Examiner } from "./fsck-examine.ts";
import { bySeverity, type Finding, type Repair } from "./fsck-finding.ts";
import { hasDigest } from "./fsck-hash.ts";
import { type Aside, setAside } from "./fsck-set-aside.ts";
import { writeLink } from "./fsck-write-link.ts";
import { purgeEntry, type RemoveTree } from "./recover.ts";
import { restorePath } from "./restore.ts";
import { entryFolder, openEntry, type Removed, type TrashEntry, writeEntry } from "./trash-entry.ts";

/** Append-only: it is in the JSON answer. */
export type Outcome = "set-aside" | "link-written" | "brought-back";

export interface Repaired {
  readonly finding: Finding;
  readonly outcome: Outcome;
}

export interface RepairOptions {
  readonly now: () => Date;
  readonly keepMs: number;
  readonly signal: AbortSignal;
  readonly removeTree: RemoveTree;
  readonly onProgress: (what: string, done: number, of: number) => void;
}

export interface RepairReport {
  readonly examination: Examination;
  readonly repaired: readonly Repaired[];
  readonly trashId: string | undefined;
}

/** A damaged manifest takes its link with it, that its tag, and those leave an empty repository: one after the other. */
const MAXIMUM_ROUNDS = 5;

function repairsOf(findings: readonly Finding[]): { readonly finding: Finding; readonly repair: Repair }[] {
  return bySeverity(findings).flatMap((finding) =>
    finding.repair === undefined ? [] : [{ finding, repair: finding.repair }],
  );
}

async function bringBack({ store, signal }: Aside, entry: string, hex: string): Promise<boolean> {
  if (!(await hasDigest(`${store.root}/${entryFolder(entry)}/${blobData(hex)}`, hex, signal))) return false;
  restorePath(store, entry, blobFolder(hex));
  return true;
}

async function carryOut(aside: Aside, repair: Repair): Promise<Outcome | undefined> {
  switch (repair.how) {
    case "set-aside":
      return (await setAside(aside, repair.paths, repair.given)) ? "set-aside" : undefined;
    case "bring-back":
      return (await bringBack(aside, repair.entry, repair.hex)) ? "brought-back" : undefined;
    case "write-link": {
      const written = await writeLink(aside, repair);
      if (written === "unchanged") return undefined;
      return written === "written" ? "link-written" : "set-aside";
    }
  }
}

function removedBy({ finding, outcome }: Repaired): Removed[] {
  if (outcome !== "set-aside") return [];
  const { repository = "", digest, tag } = finding;
  const isTag = finding.path?.includes("/_manifests/tags/") === true;
  return [{ repository, ...(isTag && tag !== undefined ? { tag } : {}), ...(digest === undefined ? {} : { digest }) }];
}

export async function repairStore(
  store: Store,
  examiner: Examiner,
  found: Examination,
  options: RepairOptions,
): Promise<RepairReport> {
  const repaired: Repaired[] = [];
  let examination = found;
  const kept = new Set<string>();
  let entry: TrashEntry | undefined;
  for (let round = 0; round < MAXIMUM_ROUNDS; round++) {
    const repairs = repairsOf(examination.findings);
    if (repairs.length === 0) break;
    entry ??= openEntry(store, { kind: "fsck", now: options.now(), keepMs: options.keepMs, removed: [] });
    const aside: Aside = { store, id: entry.id, made: new Set(), kept, signal: options.signal };
    const index = openIndex(examination.shelves);
    const before = repaired.length;
    for (const [at, { finding, repair }] of repairs.entries()) {
      options.signal.throwIfAborted();
      options.onProgress("repair", at, repairs.length);
      const outcome = await carryOut(aside, repair);
      if (outcome === undefined) continue;
      repaired.push({ finding, outcome });
      const hex = repair.how === "set-aside" && "damaged" in repair.given ? repair.given.damaged : undefined;
      const blob = hex === undefined ? -1 : index.find(hex);
      if (blob >= 0) index.set(blob, GONE);
    }
    if (repaired.length === before) break;
    examination = await examiner.examineAgain(examination);
  }
  if (entry === undefined) return { examination, repaired, trashId: undefined };
  if (kept.size === 0) {
    await purgeEntry(store, entry, options.removeTree);
    return { examination, repaired, trashId: undefined };
  }
  writeEntry(store, { ...entry, state: "kept", removed: repaired.flatMap(removedBy) });
  return { examination, repaired, trashId: entry.id };
}
