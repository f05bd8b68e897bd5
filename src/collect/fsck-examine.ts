/** The looking part of a check: the store as a whole, and a second look at whatever seemed wrong. */
import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FIRST_BYTES, type Shelf } from "../storage/blob-index.ts";
import { hexOf, type Store } from "../storage/layout.ts";
import type { RepositoryFolder } from "../storage/repositories.ts";
import type { Team } from "../storage/team.ts";
import { type Selection, strayPrefixes } from "./fsck-blobs.ts";
import { type Finding, isProblem, keyOf } from "./fsck-finding.ts";
import { hashWhole } from "./fsck-hash.ts";
import type * as fsckTask from "./fsck-task.ts";
import { walkTree } from "./fsck-tree.ts";
import { entryFolder, readEntries } from "./trash-entry.ts";

export interface ExamineOptions {
  readonly selection: Selection;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** How long to wait before the second look at what was written within the last minute. */
  readonly settleMs: number;
  readonly onProgress: (what: string, done: number, of: number, unit?: "bytes") => void;
}

export interface Examination {
  readonly shelves: readonly Shelf[];
  readonly blobs: { readonly total: number; readonly bytes: number; readonly checked: number };
  repositories: number;
  manifests: number;
  tags: number;
  /** Of blobs, whoever needs them. */
  blobFindings: readonly Finding[];
  findings: readonly Finding[];
}

export interface Examiner {
  /** The whole store. */
  examine(): Promise<Examination>;
  /** Everything but the content of blobs once more, after a repair. */
  examineAgain(examination: Examination): Promise<Examination>;
}

const YOUNG_MS = 60_000;

export function createExaminer(store: Store, team: Team, task: typeof fsckTask, options: ExamineOptions): Examiner {
  const { root } = store;
  const { onProgress, signal } = options;

  const checkAll = async (shelves: readonly Shelf[], repositories: readonly RepositoryFolder[]) => {
    const collected = readEntries(store)
      .filter(({ kind }) => kind === "gc")
      .map(({ id }) => ({ id, folder: entryFolder(id) }));
    const input = { root, shelves, repositories, nowMs: options.now().getTime(), collected };
    const parts = await team.run("checkRepositories", task.checkRepositories, input, {
      count: repositories.length,
      onProgress: (done) => onProgress("check repositories", done, repositories.length),
    });
    const sum = (of: (part: fsckTask.CheckedRepositories) => number) =>
      parts.reduce((total, part) => total + of(part), 0);
    return {
      findings: parts.flatMap(({ findings }) => findings),
      manifests: sum(({ manifests }) => manifests),
      tags: sum(({ tags }) => tags),
    };
  };

  const isYoung = ({ path }: Finding): boolean => {
    if (path === undefined) return false;
    const since = options.now().getTime() - YOUNG_MS;
    return [path, dirname(path)].some(
      (each) => (lstatSync(`${root}/${each}`, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since,
    );
  };

  const isStill = async (finding: Finding): Promise<boolean> => {
    const path = `${root}/${finding.path}`;
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    if (finding.kind === "blob-without-data") return lstatSync(`${path}/data`, { throwIfNoEntry: false }) === undefined;
    if (finding.kind !== "corrupt-blob") return true;
    const actual = await hashWhole(`${path}/data`, signal);
    return actual !== undefined && actual.hex !== hexOf(finding.digest as string);
  };

  /** What is not there on the second look was a push or a deletion under way. */
  const lookTwice = async (shelves: readonly Shelf[], blobFindings: readonly Finding[]) => {
    const first = walkTree(root);
    const checked = await checkAll(shelves, first.repositories);
    const leftovers = checked.findings.filter((finding) => !isProblem(finding));
    const suspects = [...first.findings, ...checked.findings.filter(isProblem)];
    const totals = { repositories: first.repositories.length, manifests: checked.manifests, tags: checked.tags };
    if (blobFindings.length + suspects.length === 0) return { ...totals, blobFindings, findings: leftovers };
    if (options.settleMs > 0 && [...blobFindings, ...suspects].some(isYoung))
      await delay(options.settleMs, undefined, { signal });
    const left: Finding[] = [];
    for (const finding of blobFindings) if (await isStill(finding)) left.push(finding);
    const damaged = new Set(left.flatMap(({ kind, path }) => (kind === "corrupt-blob" ? [path] : [])));
    const names = new Set(suspects.map(({ repository }) => repository));
    const tree = walkTree(root);
    const repositories = tree.repositories.filter(({ name }) => names.has(name));
    const again = await checkAll(shelves, repositories);
    const keys = new Set(suspects.map(keyOf));
    const confirmed = [...tree.findings, ...again.findings].filter(
      (finding) => keys.has(keyOf(finding)) && (finding.kind !== "corrupt-blob" || damaged.has(finding.path)),
    );
    return { ...totals, blobFindings: left, findings: [...merge(left, confirmed), ...leftovers] };
  };

  return {
    async examine() {
      const weighed = (
        await team.run(
          "weigh",
          task.weigh,
          { root, selection: options.selection },
          {
            count: FIRST_BYTES,
            onProgress: (done) => onProgress("list blobs", done, FIRST_BYTES),
          },
        )
      ).flat();
      const shelves = weighed.flatMap(({ shelf }) => shelf ?? []);
      const sum = (key: "count" | "bytes" | "selected" | "selectedBytes") =>
        weighed.reduce((total, each) => total + each[key], 0);
      const blobs = { total: sum("count"), bytes: sum("selectedBytes"), checked: sum("selected") };
      const found = [...strayPrefixes(root), ...weighed.flatMap(({ findings }) => findings)];
      if (blobs.checked > 0) {
        const hashed = new SharedArrayBuffer(8);
        const bytes = new BigInt64Array(hashed);
        const hashing = await team.run(
          "hashBlobs",
          task.hashBlobs,
          { root, shelves, hashed },
          {
            count: FIRST_BYTES,
            onProgress: () => onProgress("hash blobs", Number(Atomics.load(bytes, 0)), blobs.bytes, "bytes"),
          },
        );
        found.push(...hashing.flat());
      }
      return { shelves, blobs, ...(await lookTwice(shelves, found)) };
    },
    async examineAgain({ shelves, blobs, blobFindings }) {
      return { shelves, blobs, ...(await lookTwice(shelves, blobFindings)) };
    },
  };
}

/** A damaged blob is told with those who need it; one that nobody needs by itself. */
function merge(blobFindings: readonly Finding[], others: readonly Finding[]): Finding[] {
  const told = new Set(others.flatMap(({ kind, path }) => (kind.startsWith("corrupt-") ? [path] : [])));
  const alone = blobFindings.filter(({ kind, path }) => kind !== "corrupt-blob" || !told.has(path));
  return [...alone, ...others];
}
