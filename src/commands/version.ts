import type { Context } from "../context.ts";

/** With `--engine` also what the engine says of itself; without, nothing is connected to. */
export async function version(context: Context, own: string, flags: { readonly engine?: boolean }): Promise<void> {
  const engine = flags.engine === true ? (await context.engine()).info : undefined;
  const text = [
    `regctl ${own} (node ${process.version})`,
    ...(engine === undefined
      ? []
      : [`engine ${engine.version}, API ${engine.apiVersion}, ${engine.architecture}, ${engine.endpoint}`]),
  ].join("\n");
  context.output.result("version", { regctl: own, node: process.version, engine: engine ?? null }, text, own);
}
