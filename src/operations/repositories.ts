/** `repos`: which repositories there are and what they weigh, from disk or over the API. */
import type { RepositorySize } from "../catalog/repository-sizes.ts";
import { hostAndPort } from "../config/config.ts";
import type { RegistryApi } from "../registry/api.ts";
import { type Access, type AccessFlags, chooseAccess } from "./choose-access.ts";
import type { OperationPorts } from "./ports.ts";
import { parsePatterns, type RepositoryPatterns } from "./repository-patterns.ts";
import { readStore } from "./store.ts";

export type RepositoryOrder = "name" | "size" | "exclusive" | "pushed";

export interface RepositoriesRequest extends AccessFlags {
  /** Names or globs; none = all. */
  readonly patterns: readonly string[];
  readonly sizes: boolean;
  readonly order: RepositoryOrder;
}

/** Without sizes only the name is known; over the API, no push time and only what has a tag. */
export type ListedRepository = Pick<RepositorySize, "name"> & {
  readonly weight: Omit<RepositorySize, "name"> | undefined;
};

export interface Repositories {
  readonly source: "disk" | "api";
  readonly repositories: readonly ListedRepository[];
  /** Of all repositories, whether listed or not; undefined without sizes. */
  readonly neededBytes: number | undefined;
  /** Sentences to warn with. */
  readonly problems: readonly string[];
}

type Found = Omit<Repositories, "source">;

async function namesFromDisk(ports: OperationPorts, data: string): Promise<Found> {
  const { repositoryNames } = await import("../catalog/repository-names.ts");
  const names = await readStore(ports, data, async ({ store }) => repositoryNames(store));
  return { repositories: names.map((name) => ({ name, weight: undefined })), neededBytes: undefined, problems: [] };
}

async function sizesFromDisk(ports: OperationPorts, data: string): Promise<Found> {
  // Loaded before the store is opened: its owner, whose rights are taken there, may not be allowed to read the program.
  const [{ weighStore }, catalogTask] = await Promise.all([
    import("../catalog/repository-sizes.ts"),
    import("../catalog/catalog-task.ts"),
  ]);
  return readStore(ports, data, async ({ store, team }) => {
    const step = ports.progress.step("weigh the repositories");
    try {
      const weighed = await weighStore(store, team(catalogTask), (what, done, of) =>
        step.update(`${what} ${done}/${of}`),
      );
      step.done();
      return {
        repositories: weighed.repositories.map(({ name, ...weight }) => ({ name, weight })),
        neededBytes: weighed.neededBytes,
        problems: weighed.problems.map(({ message }) => message),
      };
    } catch (error) {
      step.failed();
      throw error;
    }
  });
}

async function fromApi(api: RegistryApi, sizes: boolean, matches: RepositoryPatterns["matches"]): Promise<Found> {
  const names: string[] = [];
  for await (const name of api.catalog()) names.push(name);
  if (!sizes)
    return { repositories: names.map((name) => ({ name, weight: undefined })), neededBytes: undefined, problems: [] };
  const { weighRegistry } = await import("./weigh-registry.ts");
  return weighRegistry(api, names, matches);
}

const ORDERS: Readonly<Record<Exclude<RepositoryOrder, "name">, (one: ListedRepository) => number>> = {
  size: ({ weight }) => weight?.sizeBytes ?? -1,
  exclusive: ({ weight }) => weight?.exclusiveBytes ?? -1,
  pushed: ({ weight }) => weight?.pushedMs ?? -1,
};

function sorted(repositories: readonly ListedRepository[], order: RepositoryOrder): readonly ListedRepository[] {
  if (order === "name") return repositories;
  const key = ORDERS[order];
  return [...repositories].sort((a, b) => key(b) - key(a));
}

async function find(
  ports: OperationPorts,
  access: Access,
  request: RepositoriesRequest,
  matches: RepositoryPatterns["matches"],
): Promise<Found> {
  const { sizes, login } = request;
  if (access.data !== undefined) return sizes ? sizesFromDisk(ports, access.data) : namesFromDisk(ports, access.data);
  const { listLosses, withRegistryApi } = await import("./registry-access.ts");
  const found = await withRegistryApi(ports, access.deployment, login, (api) => fromApi(api, sizes, matches));
  return { ...found, problems: [...listLosses(access.deployment).map(({ warning }) => warning), ...found.problems] };
}

/** Rejects with `not-found` when a repository that was named is not there. */
export async function listRepositories(ports: OperationPorts, request: RepositoriesRequest): Promise<Repositories> {
  const access = await chooseAccess(ports, request);
  const deployment = access.data === undefined ? access.deployment : access.target.deployment;
  const host = deployment === undefined ? undefined : hostAndPort(deployment.config);
  const { matches, requireKnown } = await parsePatterns(request.patterns, host);
  const { repositories, ...rest } = await find(ports, access, request, matches);
  requireKnown(repositories.map(({ name }) => name));
  const matching = repositories.filter(({ name }) => matches(name));
  return { ...rest, source: access.data === undefined ? "api" : "disk", repositories: sorted(matching, request.order) };
}
