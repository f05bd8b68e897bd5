/** What a storage is filled with. */
import { lstatSync } from "node:fs";
import { isBlinding, type Problem } from "../collect/problems.ts";
import { withTrashed } from "../collect/survey.ts";
import { readEntries } from "../collect/trash-entry.ts";
import { setAsideTrees, trashedRepositories } from "../collect/trashed-roots.ts";
import { FIRST_BYTES, openIndex, REFERENCED } from "../storage/blob-index.ts";
import { REPOSITORIES, repositoryFolder, type Store, TRASH, uploadsFolder } from "../storage/layout.ts";
import { entriesOf, namesIn, walkRepositories } from "../storage/repositories.ts";
import type { Team } from "../storage/team.ts";
import { ledgerMemory, openLedger } from "./blob-ledger.ts";
import * as catalogTask from "./catalog-task.ts";
import type { OnProgress } from "./repository-sizes.ts";

export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

export interface StoreUsage {
  readonly repositories: number;
  /** All of them, manifests included. */
  readonly blobs: Amount;
  readonly manifests: Amount;
  /** Begun and neither finished nor given up. */
  readonly uploads: Amount;
  /** Entries, and the bytes of the files in them. */
  readonly trash: Amount;
  /** Blobs that only repositories, tags and images in the trash need: freed once it is purged and collected. */
  readonly heldByTrash: Amount;
  /** Blobs that nothing needs: what a collection without grace frees; undefined = something that may need them cannot be read. */
  readonly unreferenced: Amount | undefined;
  readonly problems: readonly Problem[];
}

/** Content of all files below a folder; links are not followed. */
function bytesBelow(folder: string): number {
  let bytes = 0;
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const entry of entriesOf(path)) {
      const inner = `${path}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(inner);
      else if (entry.isFile()) bytes += lstatSync(inner, { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

function uploadsOf(root: string, names: readonly string[]): Amount {
  let count = 0;
  let bytes = 0;
  for (const name of names) {
    const folder = `${root}/${uploadsFolder(repositoryFolder(name))}`;
    for (const upload of namesIn(folder)) {
      count += 1;
      bytes += bytesBelow(`${folder}/${upload}`);
    }
  }
  return { count, bytes };
}

/** `team` is one for `catalogTask`. Rejects with a system error. */
export async function storeUsage(store: Store, team: Team, onProgress?: OnProgress): Promise<StoreUsage> {
  const { root } = store;
  const progress = (what: string, of: number) => ({
    count: of,
    onProgress: (done: number) => onProgress?.(what, done, of),
  });
  const shelves = (
    await team.run("listBlobs", catalogTask.listBlobs, { root }, progress("list blobs", FIRST_BYTES))
  ).flat();
  const repositories = [...walkRepositories(`${root}/${REPOSITORIES}`)];
  const entries = readEntries(store);
  const common = {
    root,
    shelves,
    untagged: false,
    youngerThan: Number.POSITIVE_INFINITY,
    setAside: setAsideTrees(entries),
  };
  const mark = async (folders: ReturnType<typeof withTrashed>) => {
    const input = { ...common, repositories: folders };
    const marks = await team.run(
      "markBlobs",
      catalogTask.markBlobs,
      input,
      progress("mark repositories", folders.length),
    );
    return marks.flatMap(({ marked }) => marked.flatMap(({ problems }) => problems));
  };
  const memory = ledgerMemory(shelves);
  const problems = await mark(withTrashed(repositories, new Map()));
  const weights = await team.run(
    "weighBlobs",
    catalogTask.weighBlobs,
    { root, shelves, ledger: memory },
    progress("weigh blobs", FIRST_BYTES),
  );
  problems.push(...(await mark(withTrashed([], trashedRepositories(store, entries)))));

  const index = openIndex(shelves);
  const ledger = openLedger(root, index, memory);
  const left = { count: 0, bytes: 0 };
  for (const blob of weights.flatMap(({ unneeded }) => unneeded)) {
    if (index.has(blob, REFERENCED)) continue;
    left.count += 1;
    left.bytes += ledger.weightOf(ledger.placeOf(blob));
  }
  const sum = (pick: (weight: (typeof weights)[number]) => Amount): Amount =>
    weights
      .map(pick)
      .reduce((all, one) => ({ count: all.count + one.count, bytes: all.bytes + one.bytes }), { count: 0, bytes: 0 });
  const unneeded = sum((weight) => weight.unneededAmount);
  const trash = namesIn(`${root}/${TRASH}`).length === 0 ? 0 : bytesBelow(`${root}/${TRASH}`);
  return {
    repositories: repositories.length,
    blobs: sum((weight) => weight.all),
    manifests: sum((weight) => weight.manifests),
    uploads: uploadsOf(
      root,
      repositories.filter(({ parts }) => parts.includes("_uploads")).map(({ name }) => name),
    ),
    trash: { count: entries.length, bytes: trash },
    heldByTrash: { count: unneeded.count - left.count, bytes: unneeded.bytes - left.bytes },
    unreferenced: problems.some(isBlinding) ? undefined : left,
    problems,
  };
}
