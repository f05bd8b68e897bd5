import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { measureDeletion, measureStore } from "../operations/disk-usage.ts";
import { shownText } from "../shown-name.ts";
import { renderTable } from "../terminal/table.ts";
import { warnOf } from "./access-flags.ts";

export interface DuFlags {
  readonly data?: string;
}

type Usage = Awaited<ReturnType<typeof measureStore>>;
type Amount = Usage["blobs"];

function row(what: string, amount: Amount | undefined): string[] {
  return amount === undefined ? [what, "", "unknown"] : [what, String(amount.count), formatBytes(amount.bytes)];
}

function renderUsage(usage: Usage): string {
  return renderTable(
    ["WHAT", "COUNT", "SIZE"],
    [
      row("blobs", usage.blobs),
      row("  of these manifests", usage.manifests),
      row("  only the trash needs", usage.heldByTrash),
      row("  unreferenced (gc --grace 0)", usage.unreferenced),
      row("uploads", usage.uploads),
      row("trash", usage.trash),
    ],
  );
}

async function all(context: Context, flags: DuFlags): Promise<void> {
  const { problems, ...usage } = await measureStore(context, { ...flags, dir: context.options.dir });
  warnOf(
    context,
    problems.map(({ message }) => shownText(message)),
  );
  const data = { ...usage, unreferenced: usage.unreferenced ?? null };
  context.output.result("du", data, renderUsage({ problems, ...usage }), String(usage.blobs.bytes));
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

export async function du(context: Context, names: readonly string[], flags: DuFlags): Promise<void> {
  if (names.length === 0) return all(context, flags);
  const freed = await measureDeletion(context, { ...flags, dir: context.options.dir }, names);
  warnOf(
    context,
    freed.problems.map(({ message }) => shownText(message)),
  );
  const manifests = freed.revisions.length;
  const what = names.length === 1 ? names[0] : `these ${names.length}`;
  const text = `deleting ${what} would free ${formatBytes(freed.bytes)}: ${count(freed.blobs, "blob")}, of ${count(manifests, "manifest")}`;
  const data = { names, freed: { bytes: freed.bytes, blobs: freed.blobs, manifests } };
  context.output.result("du", data, text, String(freed.bytes));
}
