import type { Context } from "../context.ts";
import { observe } from "../deployment/observed.ts";
import { RegctlError } from "../errors.ts";
import { loadDeployment } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";

export interface LogsFlags {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly since?: string;
  readonly timestamps?: boolean;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`, `2h` and the like before now, or a time as it is, in RFC 3339. */
function parseSince(text: string, now: Date): string {
  const [, count, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const time = count === undefined ? Date.parse(text) : now.getTime() - Number(count) * (UNIT_MS[unit] ?? 0);
  // A number alone is a year to Date.parse, and a second of 1970 to docker.
  if (!Number.isNaN(time) && !/^\d+$/.test(text)) return new Date(time).toISOString();
  throw new RegctlError("input-invalid", `--since ${text} is no time`, {
    hint: "write 10m, 2h, 3d, or a time such as 2026-01-31T08:00:00Z",
  });
}

/** The registry's own words, byte for byte. Following ends with the container, or with the signal and its exit code. */
export async function logs(context: Context, flags: LogsFlags): Promise<number> {
  const since = flags.since === undefined ? undefined : parseSince(flags.since, context.now());
  const directory = await locateDeployment(context, context.options.dir);
  const { config } = await loadDeployment(directory);
  const engine = await context.engine();
  const { containers } = await observe(engine, config.name, config.image, { signal: context.signal });
  const [container] = containers;
  if (container === undefined)
    throw new RegctlError("not-found", `${config.name} has no container`, { hint: "regctl up" });
  const lines = engine.containers.logs(container.id, {
    follow: flags.follow ?? false,
    tail: flags.tail,
    since,
    timestamps: flags.timestamps ?? false,
    signal: context.signal,
  });
  for await (const { stream, data } of lines) {
    // One document a line: a log has no end to wait for.
    context.output.raw(
      context.output.json ? `${JSON.stringify({ stream, line: data.toString("utf8").trimEnd() })}\n` : data,
    );
  }
  return context.signal.reason instanceof RegctlError ? context.signal.reason.exitCode : 0;
}
