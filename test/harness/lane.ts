/** One registry with its store, clients and runners of regctl; schedules run in it one after another. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type LiveRegistry, liveRegistry } from "../support/live-registry.ts";
import { memoryFolder } from "../support/memory-folder.ts";
import { type PushClient, pushClient } from "../support/push-client.ts";
import { type Runner, startRunner } from "./runner.ts";

/** What collects garbage in a schedule; `upstream` is distribution's own, with and without -m, `upstream-plain` never with it. */
export type Collector = "regctl" | "upstream" | "upstream-plain";

export interface Lane extends AsyncDisposable {
  readonly store: string;
  readonly program: string;
  readonly registry: LiveRegistry;
  readonly runners: readonly [Runner, Runner];
  /** Another one after each start of the registry. */
  client(): PushClient;
  renewClient(): void;
  /** An empty store; the registry goes on. */
  wipe(): void;
}

export async function openLane(program: string): Promise<Lane> {
  const folder = memoryFolder();
  const store = join(folder.path, "store");
  const wipe = () => {
    for (const name of ["docker", "regctl-trash"]) rmSync(join(store, name), { recursive: true, force: true });
    for (const name of ["repositories", "blobs/sha256"])
      mkdirSync(join(store, "docker/registry/v2", name), { recursive: true });
  };
  wipe();
  const registry = await liveRegistry({ store, program, environment: { GOGC: "800" } });
  const runners = [startRunner(), startRunner()] as const;
  let client = pushClient(registry.host);
  return {
    store,
    program,
    registry,
    runners,
    client: () => client,
    renewClient() {
      client[Symbol.dispose]();
      client = pushClient(registry.host);
    },
    wipe,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      for (const runner of runners) runner.end();
      await registry[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
