import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { listTrash, purgeTrash, undo as undoRemoval } from "../operations/trash.ts";
import { shownName } from "../shown-name.ts";
import { renderTable } from "../terminal/table.ts";
import { confirmName } from "./confirm-name.ts";

export interface TrashFlags {
  readonly data?: string;
}

export interface PurgeFlags extends TrashFlags {
  readonly all?: boolean;
  readonly confirm?: string;
}

type Entry = Awaited<ReturnType<typeof listTrash>>[number];

/** `team/app:1 and 3 more`. */
function contents({ removed }: Entry): string {
  const [first] = removed;
  if (first === undefined) return "unreferenced blobs";
  const name = first.tag === undefined ? first.repository : `${first.repository}:${first.tag}`;
  return removed.length === 1 ? shownName(name) : `${shownName(name)} and ${removed.length - 1} more`;
}

function dataOf(entry: Entry) {
  const repositories = [...new Set(entry.removed.map(({ repository }) => repository))];
  const { isSettled: _, ...shown } = entry;
  return { ...shown, repository: repositories[0] ?? null, repositories, bytes: entry.bytes ?? null };
}

function target(context: Context, flags: TrashFlags) {
  return { dir: context.options.dir, ...(flags.data === undefined ? {} : { data: flags.data }) };
}

export async function trash(context: Context, flags: TrashFlags): Promise<void> {
  const entries = await listTrash(context, target(context, flags));
  const text =
    entries.length === 0
      ? "the trash is empty"
      : renderTable(
          ["ID", "BY", "WHAT", "FREES", "UNTIL"],
          entries.map((entry) => [
            entry.id,
            entry.kind,
            contents(entry),
            entry.bytes === undefined ? "" : formatBytes(entry.bytes),
            entry.expires,
          ]),
        );
  context.output.result("trash", { entries: entries.map(dataOf) }, text, entries.map(({ id }) => id).join("\n"));
}

export async function undo(context: Context, id: string, flags: TrashFlags): Promise<number> {
  const { entry, conflicts } = await undoRemoval(context, target(context, flags), id);
  const lines = [`brought back ${contents(entry)}`];
  for (const { repository, tag } of conflicts)
    lines.push(
      `kept ${repository}:${tag} as it was pushed since; to have the old one: regctl rm-tag ${repository}:${tag} && regctl undo ${id}`,
    );
  context.output.result("undo", { id, kind: entry.kind, removed: entry.removed, conflicts }, lines.join("\n"), id);
  return conflicts.length === 0 ? 0 : 5;
}

export async function trashPurge(context: Context, ids: readonly string[], flags: PurgeFlags): Promise<void> {
  const isAll = flags.all === true || ids.length === 0;
  const name = isAll ? "all" : (ids[0] as string);
  await confirmName(context, "What is purged from the trash cannot be brought back.", name, flags.confirm);
  const purged = await purgeTrash(context, target(context, flags), isAll ? undefined : ids);
  context.output.result(
    "trash-purge",
    { purged: purged.map(dataOf) },
    `purged ${purged.length}; \`regctl gc\` frees the blobs`,
  );
}
