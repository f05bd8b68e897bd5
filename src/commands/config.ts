import type { Context } from "../context.ts";
import { locateDeployment } from "../operations/locate.ts";
import { type ResolvedValue, resolvedConfig } from "../operations/resolved-config.ts";
import { renderTable } from "../terminal/table.ts";

function originText(value: ResolvedValue): string {
  return value.line === undefined ? value.origin : `${value.origin}:${value.line}`;
}

export async function configShow(context: Context): Promise<void> {
  const { file, values } = await resolvedConfig(await locateDeployment(context, context.options.dir));
  const rows = values.map((value) => [
    value.path,
    typeof value.value === "string" ? value.value : JSON.stringify(value.value),
    originText(value),
  ]);
  context.output.result("config", { file, values }, renderTable(["KEY", "VALUE", "FROM"], rows));
}

export async function configValidate(context: Context): Promise<void> {
  const { file } = await resolvedConfig(await locateDeployment(context, context.options.dir));
  context.output.result("config-validate", { file, valid: true }, `${file} is valid`, "valid");
}

export async function configSchema(context: Context): Promise<void> {
  const { configJsonSchema } = await import("../config/json-schema.ts");
  context.output.raw(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
}
