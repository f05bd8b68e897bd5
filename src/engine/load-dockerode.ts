import { createRequire } from "node:module";
import { dirname } from "node:path";
import type Docker from "dockerode";

/**
 * Modules dockerode loads for features regctl has no use for, and what they drag in: BuildKit sessions (gRPC, 140 files)
 * and its own SSH client (a remote engine is refused). Leaving them out halves the start of every command that needs the engine.
 */
const UNUSED = [
  { module: "dockerode/lib/session", within: undefined },
  { module: "docker-modem/lib/ssh", within: "dockerode/lib/docker" },
] as const;

function unavailable(): never {
  throw new Error("this part of dockerode is not loaded");
}

/** The class, with nothing loaded that is not used. Call it once: Node keeps it. */
export function loadDockerode(): typeof Docker {
  const require = createRequire(import.meta.url);
  for (const { module, within } of UNUSED) {
    const paths = within === undefined ? undefined : { paths: [dirname(require.resolve(within))] };
    const file = require.resolve(module, paths);
    require.cache[file] ??= {
      id: file,
      filename: file,
      loaded: true,
      exports: unavailable,
    } as unknown as NodeJS.Module;
  }
  return require("dockerode") as typeof Docker;
}
