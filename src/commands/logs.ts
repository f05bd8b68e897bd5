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

export async function logs(context: Context, flags: LogsFlags): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const { config } = await loadDeployment(directory);
  const engine = await context.engine();
  const { containers } = await observe(engine, config.name, config.image, { signal: context.signal });
  const [container] = containers;
  if (container === undefined) throw new RegctlError("not-found", `${config.name} has no container`, { hint: "regctl up" });
  const lines = engine.containers.logs(container.id, {
    follow: flags.follow ?? false,
    tail: flags.tail,
    since: flags.since,
    timestamps: flags.timestamps ?? false,
    signal: context.signal,
  });
  for await (const line of lines) context.output.raw(line.data);
}
