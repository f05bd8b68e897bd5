import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import { gcUpstream, type UpstreamGcResult } from "../operations/upstream-gc.ts";

/** What only regctl's own collector can do. */
const OWN_FLAGS = ["grace", "keep", "settle", "data", "stopped", "uncached"] as const;

export interface UpstreamGcFlags extends Readonly<Partial<Record<(typeof OWN_FLAGS)[number], unknown>>> {
  readonly untagged?: boolean;
  readonly dryRun?: boolean;
  readonly list?: boolean;
}

function refuseOwnFlags(flags: UpstreamGcFlags): void {
  const given = OWN_FLAGS.find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  throw new RegctlError("usage", `--${given} is for regctl's own collector, not for --engine upstream`, {
    hint:
      given === "data" ? "--engine upstream needs a deployment: its image is what collects" : `leave out --${given}`,
  });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function summary({ dryRun, blobs, manifests, bytes, readPauseMs, writePauseMs }: UpstreamGcResult): string {
  const size = dryRun ? bytes.reclaimable : bytes.reclaimed;
  const verb = dryRun ? "would free" : "freed";
  const parts = [
    ...(size === null ? [] : [formatBytes(size)]),
    `${count(dryRun ? blobs.deletable : blobs.deleted, "blob")} of ${blobs.total}`,
    ...(manifests.deletable > 0 ? [count(manifests.deletable, "untagged manifest")] : []),
  ];
  const pauses = writePauseMs > 0 ? [`pushes paused ${seconds(writePauseMs)}, pulls ${seconds(readPauseMs)}`] : [];
  return [`${verb} ${parts.join(", ")}`, ...pauses].join("\n");
}

/** `gc --engine upstream`: the same document as of `gc`. */
export async function gcWithUpstream(context: Context, flags: UpstreamGcFlags): Promise<void> {
  refuseOwnFlags(flags);
  const result = await gcUpstream(context, {
    dir: context.options.dir,
    untagged: flags.untagged ?? false,
    dryRun: flags.dryRun ?? false,
  });
  const { deletable, ...rest } = result;
  const isListed = flags.list === true;
  const data = {
    ...rest,
    restored: 0,
    purgedEntries: [],
    problems: [],
    engine: "upstream",
    ...(isListed ? { deletable } : {}),
  };
  const list = isListed ? [...deletable.manifests, ...deletable.blobs, ""].join("\n") : "";
  context.output.result("gc", data, `${list}${summary(result)}`);
}
