/** Runs once before the tests of a project: the certificates their deployments adopt. Making keys is most of what `init` does. */
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { main } from "../../src/main.ts";
import { surroundingsFor } from "./surroundings.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A certs/ folder: an authority and its certificate for localhost. */
    readonly certificates: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = temporaryDirectory();
  const directory = join(root.path, "shared");
  const argv = ["init", directory, "--yes", "--no-start", "--bcrypt-cost", "5"];
  const exitCode = await main(argv, surroundingsFor(), new AbortController().signal);
  if (exitCode !== 0) throw new Error(`regctl init ended with ${exitCode}`);
  project.provide("certificates", join(directory, "certs"));
  return async () => {
    await root[Symbol.asyncDispose]();
  };
}
