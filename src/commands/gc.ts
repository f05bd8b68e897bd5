import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { gc as collect, type GcResult } from "../operations/gc.ts";

export interface GcFlags {
  readonly untagged?: boolean;
  readonly dryRun?: boolean;
  readonly engine?: "regctl" | "upstream";
  /** Milliseconds. */
  readonly grace?: number;
  readonly keep?: number;
  readonly settle?: number;
  readonly data?: string;
  readonly stopped?: boolean;
  readonly uncached?: boolean;
  readonly list?: boolean;
}

const SHOWN_PROBLEMS = 20;
const HOUR_MS = 3_600_000;

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function summary(result: GcResult): string {
  const { blobs, manifests, bytes, dryRun } = result;
  const found = dryRun
    ? `would free ${formatBytes(bytes.reclaimable)}: ${count(blobs.deletable, "blob")} of ${blobs.total}`
    : `freed ${formatBytes(bytes.reclaimed)}: ${count(blobs.deleted, "blob")} of ${blobs.total}`;
  const untagged = dryRun ? manifests.deletable : manifests.deleted;
  const lines = [untagged > 0 ? `${found}, ${count(untagged, "untagged manifest")}` : found];
  if (result.purgedEntries.length > 0) {
    const what = count(result.purgedEntries.length, "expired entry").replace("entrys", "entries");
    lines.push(dryRun ? `${what} of the trash would be purged` : `purged ${what} of the trash`);
  }
  if (result.restored > 0) lines.push(`${count(result.restored, "object")} needed by a push meanwhile, kept`);
  if (result.keptIn !== undefined) lines.push(`kept in the trash: regctl undo ${result.keptIn}`);
  return lines.join("\n");
}

export async function gc(context: Context, flags: GcFlags): Promise<void> {
  if (flags.engine === "upstream") return (await import("./gc-upstream.ts")).gcWithUpstream(context, flags);
  const result = await collect(context, {
    dir: context.options.dir,
    ...(flags.data === undefined ? {} : { data: flags.data }),
    untagged: flags.untagged ?? false,
    dryRun: flags.dryRun ?? false,
    graceMs: flags.grace ?? HOUR_MS,
    keepMs: flags.keep ?? 0,
    settleMs: flags.settle,
    stopped: flags.stopped ?? false,
    uncached: flags.uncached ?? false,
  });
  for (const { message } of result.problems.slice(0, SHOWN_PROBLEMS)) context.output.warn(message);
  if (result.problems.length > SHOWN_PROBLEMS)
    context.output.warn(`… and ${result.problems.length - SHOWN_PROBLEMS} more; \`regctl fsck\` lists them all`);
  const { deletable, ...rest } = result;
  const data = {
    ...rest,
    engine: "regctl",
    writePauseMs: 0,
    ...(flags.list === true ? { deletable } : {}),
  };
  const list = flags.list === true ? [...deletable.manifests, ...deletable.blobs, ""].join("\n") : "";
  context.output.result("gc", data, `${list}${summary(result)}`);
}
