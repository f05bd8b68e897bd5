/** `du`: what a storage is filled with, and what a deletion would free of it. */
import * as catalogTask from "../catalog/catalog-task.ts";
import { type DeletionSelection, type FreedBytes, freedBytes } from "../catalog/freed-bytes.ts";
import { repositoryNames } from "../catalog/repository-names.ts";
import { type StoreUsage, storeUsage } from "../catalog/store-usage.ts";
import { hostAndPort } from "../config/config.ts";
import { parseImageName } from "../registry/image-name.ts";
import { hexOf, type Store } from "../storage/layout.ts";
import { diskSource } from "./disk-source.ts";
import type { OperationPorts } from "./ports.ts";
import { locateStore, type OpenStore, readStore, requireLocal, type StoreFlags } from "./store.ts";
import { unknownImage, unknownRepository } from "./unknown-repository.ts";

const ELSEWHERE = "`regctl repos --api` adds up what manifests say";

type Update = (what: string, done: number, of: number) => void;

async function withStore<T>(
  ports: OperationPorts,
  flags: StoreFlags,
  work: (open: OpenStore, host: string | undefined) => Promise<T>,
): Promise<T> {
  const target = await locateStore(ports, flags);
  const data = requireLocal(target, "du", ELSEWHERE);
  const host = target.deployment === undefined ? undefined : hostAndPort(target.deployment.config);
  return readStore(ports, data, (open) => work(open, host));
}

async function withProgress<T>(ports: OperationPorts, work: (update: Update) => Promise<T>): Promise<T> {
  const step = ports.progress.step("read the storage");
  try {
    const result = await work((what, done, of) => step.update(`${what} ${done}/${of}`));
    step.done();
    return result;
  } catch (error) {
    step.failed();
    throw error;
  }
}

export function measureStore(ports: OperationPorts, flags: StoreFlags): Promise<StoreUsage> {
  return withStore(ports, flags, (open) =>
    withProgress(ports, (update) => storeUsage(open.store, open.team(catalogTask), update)),
  );
}

/** Names in the store; throws `not-found` for one that is not there. */
async function selectionOf(
  store: Store,
  names: readonly string[],
  host: string | undefined,
): Promise<DeletionSelection> {
  const selection = {
    repositories: [] as string[],
    tags: [] as { repository: string; tag: string }[],
    revisions: [] as { repository: string; hex: string }[],
  };
  const source = diskSource(store, host);
  for (const name of names) {
    const { repository, tag, digest } = parseImageName(name, host);
    const tags = await source.tags(repository);
    if (tags === undefined) throw unknownRepository(repository, repositoryNames(store));
    const reference = digest ?? tag;
    if (reference === undefined) {
      selection.repositories.push(repository);
      continue;
    }
    if ((await source.find(repository, reference)) === undefined) throw unknownImage(repository, reference, tags);
    if (digest === undefined) selection.tags.push({ repository, tag: reference });
    else selection.revisions.push({ repository, hex: hexOf(digest) as string });
  }
  return selection;
}

/** What deleting all of them together would free, once the trash is purged and garbage is collected. */
export function measureDeletion(
  ports: OperationPorts,
  flags: StoreFlags,
  names: readonly string[],
): Promise<FreedBytes> {
  return withStore(ports, flags, async (open, host) => {
    const selection = await selectionOf(open.store, names, host);
    return withProgress(ports, (onProgress) =>
      freedBytes(open.store, open.team(catalogTask), selection, { onProgress }),
    );
  });
}
