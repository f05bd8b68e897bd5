/** Deployments made by `regctl init` in this process, on an engine whose containers serve. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { freePort } from "../contract/free-port.ts";
import { adoptCertificates } from "./adopt-certificates.ts";
import { keep } from "./kept.ts";
import { run } from "./run.ts";
import { ServingEngine } from "./serving-engine.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface Made {
  readonly engine: ServingEngine;
  readonly directory: string;
  readonly port: number;
  readonly password: string;
}

export { keep };

/** A running deployment called acme. */
export async function made(
  options: { readonly flags?: readonly string[]; readonly images?: readonly string[] } = {},
): Promise<Made> {
  const root = keep(temporaryDirectory());
  const engine = keep(new ServingEngine({ images: options.images ?? ["registry:2"] }));
  const port = await freePort();
  const directory = join(root.path, "acme");
  await adoptCertificates(directory);
  const result = await run(
    ["init", directory, "--yes", "--json", "--port", String(port), "--bcrypt-cost", "5", ...(options.flags ?? [])],
    { engine },
  );
  expect(result.stderr).toBe("");
  const { data } = JSON.parse(result.stdout) as { data: { password: string } };
  return { engine, directory, port, password: data.password };
}

/** Changes regctl.yaml; fails when there is nothing to change. */
export async function edit(directory: string, from: string | RegExp, to: string): Promise<void> {
  const file = join(directory, "regctl.yaml");
  const text = await readFile(file, "utf8");
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
}
