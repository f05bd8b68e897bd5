/** What the registry that serves a storage needs when that is changed under it: time for pushes, and an empty cache. */
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

export interface Serving {
  readonly isRunning: boolean;
  /** How long a push can be under way, in ms; 0 when nothing runs. */
  readonly settleMs: number;
  /** Empties the registry's cache of blob descriptors; undefined = it has none, or does not run. */
  readonly flushCaches: (() => Promise<void>) | undefined;
  /** How long it did not answer for that so far, in ms. */
  readonly pauseMs: () => number;
}

/** What a PUT of a manifest can take from its first check to its last write. */
export const SETTLE_MS = 10_000;

/** `inmemory`, `redis`, or undefined: distribution answers from it without looking at the storage. */
export function descriptorCache(config: Config): string | undefined {
  const { storage } = config.registry as {
    readonly storage?: { readonly cache?: { readonly blobdescriptor?: unknown } };
  };
  const cache = storage?.cache?.blobdescriptor;
  return typeof cache === "string" && cache !== "" ? cache : undefined;
}

/** As the registry was started: regctl.yaml may have been edited since. */
async function startedCache(directory: string): Promise<string | undefined> {
  const text = (await readIfExists(join(directory, FILES.registryConfig)).catch(() => undefined)) ?? "";
  return /^\s*blobdescriptor:\s*"?(\w+)/m.exec(text)?.[1];
}

function unsafeCache(cache: string): RegctlError {
  return new RegctlError(
    "precondition-failed",
    `the registry remembers blobs in ${cache} (storage.cache.blobdescriptor): it would go on serving what is gone, and accept pushes that need it`,
    { hint: "remove storage.cache from regctl.yaml and run `regctl up`: on a local disk it saves nothing" },
  );
}

/** A registry that cannot be asked about is taken to run. */
async function isRunning(ports: OperationPorts, deployment: Deployment): Promise<boolean> {
  try {
    const { observeOwn } = await import("./observe-own.ts");
    const observed = await observeOwn(ports, await ports.engine(), deployment);
    return observed.containers.some(({ state }) => state === "running");
  } catch (error) {
    if (error instanceof RegctlError && error.code.startsWith("engine-")) return true;
    throw error;
  }
}

/** Refuses a cache that cannot be emptied, before the first change. */
export async function servingOf(ports: OperationPorts, deployment: Deployment): Promise<Serving> {
  const cache = descriptorCache(deployment.config) ?? (await startedCache(deployment.directory));
  if (cache !== undefined && cache !== "inmemory") throw unsafeCache(cache);
  // Emptying it means restarting the registry: an engine that cannot do that is found out now.
  if (cache !== undefined) await ports.engine();
  const running = await isRunning(ports, deployment);
  let pause = 0;
  const flushCaches = async () => {
    const { restart } = await import("./take-down.ts");
    const began = performance.now();
    await restart(ports, deployment.directory);
    pause += performance.now() - began;
  };
  return {
    isRunning: running,
    settleMs: running ? SETTLE_MS : 0,
    flushCaches: cache !== undefined && running ? flushCaches : undefined,
    pauseMs: () => Math.round(pause),
  };
}

/** As `servingOf` where only the cache matters: without one, the engine is not asked. */
export async function cacheFlush(
  ports: OperationPorts,
  deployment: Deployment | undefined,
): Promise<(() => Promise<void>) | undefined> {
  if (deployment === undefined) return undefined;
  const cache = descriptorCache(deployment.config) ?? (await startedCache(deployment.directory));
  return cache === undefined ? undefined : (await servingOf(ports, deployment)).flushCaches;
}
