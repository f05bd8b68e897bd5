import { formatAge } from "../age.ts";
import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import {
  type ListedRepository,
  listRepositories,
  type Repositories,
  type RepositoryOrder,
} from "../operations/repositories.ts";
import { shownName } from "../shown-name.ts";
import { renderTable } from "../terminal/table.ts";
import { accessFlags, type LookFlags, warnOf } from "./access-flags.ts";

export interface ReposFlags extends LookFlags {
  readonly sizes: boolean;
  readonly sort?: RepositoryOrder;
}

function row({ name, weight }: ListedRepository, nowMs: number): string[] {
  if (weight === undefined) return [shownName(name)];
  const { tags, sizeBytes, exclusiveBytes, pushedMs } = weight;
  return [
    shownName(name),
    String(tags),
    formatBytes(sizeBytes),
    formatBytes(exclusiveBytes),
    formatBytes(sizeBytes - exclusiveBytes),
    pushedMs === undefined ? "" : formatAge(pushedMs, nowMs),
  ];
}

function render({ repositories, neededBytes }: Repositories, nowMs: number): string {
  if (repositories.length === 0) return "no repositories";
  if (neededBytes === undefined) return repositories.map(({ name }) => shownName(name)).join("\n");
  const heading = ["REPOSITORY", "TAGS", "SIZE", "EXCLUSIVE", "SHARED", "LAST PUSH"];
  const table = renderTable(
    heading,
    repositories.map((repository) => row(repository, nowMs)),
  );
  const count = repositories.length === 1 ? "1 repository" : `${repositories.length} repositories`;
  return `${table}\n${count}; all in the registry need ${formatBytes(neededBytes)}`;
}

function dataOf({ name, weight }: ListedRepository) {
  return {
    name,
    tags: weight?.tags ?? null,
    sizeBytes: weight?.sizeBytes ?? null,
    exclusiveBytes: weight?.exclusiveBytes ?? null,
    sharedBytes: weight === undefined ? null : weight.sizeBytes - weight.exclusiveBytes,
    lastPush: weight?.pushedMs === undefined ? null : new Date(weight.pushedMs).toISOString(),
  };
}

export async function repos(context: Context, patterns: readonly string[], flags: ReposFlags): Promise<void> {
  const found = await listRepositories(context, {
    ...(await accessFlags(context, flags)),
    patterns,
    sizes: flags.sizes,
    order: flags.sort ?? "name",
  });
  warnOf(context, found.problems);
  const data = {
    source: found.source,
    repositories: found.repositories.map(dataOf),
    bytes: { needed: found.neededBytes ?? null },
  };
  const quiet = found.repositories.map(({ name }) => shownName(name)).join("\n");
  context.output.result("repos", data, context.output.json ? "" : render(found, context.now().getTime()), quiet);
}
