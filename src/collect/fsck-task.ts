/** The phases of a check that threads share. */
import { openIndex, type Shelf } from "../storage/blob-index.ts";
import type { RepositoryFolder } from "../storage/repositories.ts";
import type { Phase } from "../storage/team.ts";
import { checkContent, DAMAGED, PRESENT, SELECTED, type Selection, type Weighed, weighBlobs } from "./fsck-blobs.ts";
import type { Finding } from "./fsck-finding.ts";
import type { LookOptions } from "./fsck-look.ts";
import { checkRepository } from "./fsck-repository.ts";

/** What the threads of a team import. */
export const taskUrl = import.meta.url;

export interface WeighInput {
  readonly root: string;
  readonly selection: Selection;
}

/** Lists blobs and chooses those to hash; an item is a first byte. */
export const weigh: Phase<WeighInput, Weighed[]> = function* ({ root, selection }, next) {
  const weighed: Weighed[] = [];
  for (let first = next(); first >= 0; first = next()) {
    weighed.push(weighBlobs(root, first, selection));
    yield;
  }
  return weighed;
};

export interface HashInput {
  readonly root: string;
  readonly shelves: readonly Shelf[];
  /** One counter of bytes, shared by the threads. */
  readonly hashed: SharedArrayBuffer;
}

/** Hashes the blobs that were chosen and marks the damaged ones; an item is a first byte. */
export const hashBlobs: Phase<HashInput, Finding[]> = function* ({ root, shelves, hashed }, next) {
  const index = openIndex(shelves);
  const counter = new BigInt64Array(hashed);
  const onBytes = (bytes: number) => void Atomics.add(counter, 0, BigInt(bytes));
  const findings: Finding[] = [];
  for (let first = next(); first >= 0; first = next()) {
    const { begin, end } = index.numbersOf(first);
    for (let blob = begin; blob < end; blob++) {
      if (!index.has(blob, PRESENT) || !index.has(blob, SELECTED)) continue;
      const finding = yield* checkContent(root, index.hexOf(blob), onBytes);
      if (finding === undefined) continue;
      if (finding.kind === "corrupt-blob") index.set(blob, DAMAGED);
      findings.push(finding);
    }
    yield;
  }
  return findings;
};

export interface CheckInput extends Omit<LookOptions, "index"> {
  readonly shelves: readonly Shelf[];
  readonly repositories: readonly RepositoryFolder[];
}

export interface CheckedRepositories {
  readonly findings: Finding[];
  manifests: number;
  tags: number;
}

/** Checks repositories; an item is one. */
export const checkRepositories: Phase<CheckInput, CheckedRepositories> = function* (input, next) {
  const options: LookOptions = { ...input, index: openIndex(input.shelves) };
  const checked: CheckedRepositories = { findings: [], manifests: 0, tags: 0 };
  for (let item = next(); item >= 0; item = next()) {
    const { name, parts } = input.repositories[item] as RepositoryFolder;
    const { findings, manifests, tags } = checkRepository(name, parts, options);
    for (const finding of findings) checked.findings.push(finding);
    checked.manifests += manifests;
    checked.tags += tags;
    yield;
  }
  return checked;
};
