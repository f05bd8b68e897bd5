import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import {
  previewRemoval,
  type RemovalKind,
  type RemovalRequest,
  type RemovalResult,
  remove,
} from "../operations/remove.ts";
import { shownName } from "../shown-name.ts";
import { confirmName } from "./confirm-name.ts";

export interface RemovalFlags {
  readonly dryRun?: boolean;
  readonly purge?: boolean;
  readonly confirm?: string;
  /** Milliseconds. */
  readonly keep: number;
  readonly sizes: boolean;
  readonly data?: string;
}

const SHOWN = 20;

type Shown = RemovalResult["removed"][number];

function nameOf({ repository, tag, digest }: Shown): string {
  if (tag !== undefined) return shownName(`${repository}:${tag}`);
  return shownName(digest === undefined ? repository : `${repository}@${digest}`);
}

function list(removed: readonly Shown[]): string {
  const lines = removed.slice(0, SHOWN).map((one) => `  ${nameOf(one)}`);
  if (removed.length > SHOWN) lines.push(`  … and ${removed.length - SHOWN} more`);
  return lines.join("\n");
}

function frees(bytes: number | undefined): string {
  return bytes === undefined ? "" : `; it frees ${formatBytes(bytes)} once it is collected`;
}

async function agree(context: Context, request: RemovalRequest, flags: RemovalFlags): Promise<void> {
  const isUnattended = context.options.yes && !request.purge;
  if (isUnattended) return;
  const { removed, reclaimable } = await previewRemoval(context, request);
  const first = removed[0] === undefined ? "" : nameOf(removed[0]);
  const what = removed.length === 1 ? first : `these ${removed.length}`;
  context.output.note(list(removed));
  if (request.purge) {
    return confirmName(context, `This removes ${what} for good${frees(reclaimable)}.`, first, flags.confirm);
  }
  const message = `Remove ${what}${frees(reclaimable)}? It can be brought back for a while`;
  if (await context.prompt.confirm({ message, flag: "--yes", default: false })) return;
  throw new RegctlError("declined", "nothing was changed");
}

async function run(context: Context, kind: RemovalKind, names: readonly string[], flags: RemovalFlags): Promise<void> {
  const request: RemovalRequest = {
    kind,
    names,
    dir: context.options.dir,
    ...(flags.data === undefined ? {} : { data: flags.data }),
    keepMs: flags.keep,
    purge: flags.purge ?? false,
    weigh: flags.sizes,
  };
  if (flags.dryRun === true) {
    const { removed, reclaimable } = await previewRemoval(context, request);
    const data = { dryRun: true, removed, bytes: { reclaimable: reclaimable ?? null }, trashId: null };
    context.output.result(kind, data, `would remove${frees(reclaimable)}:\n${list(removed)}`);
    return;
  }
  await agree(context, request, flags);
  const { removed, reclaimable, trashId, expires } = await remove(context, request);
  const data = {
    dryRun: false,
    removed,
    bytes: { reclaimable: reclaimable ?? null },
    trashId: trashId ?? null,
    expires: expires ?? null,
  };
  const what =
    removed.length === 1 && removed[0] !== undefined ? nameOf(removed[0]) : `${removed.length}:\n${list(removed)}\n`;
  const undo =
    trashId === undefined
      ? "`regctl gc` frees its blobs now"
      : `regctl undo ${trashId} brings it back until ${expires}`;
  context.output.result(kind, data, `removed ${what}${frees(reclaimable)}\n${undo}`, trashId ?? "");
}

export const rmRepo = (context: Context, names: readonly string[], flags: RemovalFlags): Promise<void> =>
  run(context, "rm-repo", names, flags);
export const rmTag = (context: Context, names: readonly string[], flags: RemovalFlags): Promise<void> =>
  run(context, "rm-tag", names, flags);
export const rmImage = (context: Context, names: readonly string[], flags: RemovalFlags): Promise<void> =>
  run(context, "rm-image", names, flags);
