/** A FakeEngine whose started containers serve: what a command waits for really answers, with the deployment's certificate. */
import type { ContainerSpec, Containers, Engine } from "../../src/engine/engine.ts";
import { RegctlError } from "../../src/errors.ts";
import { FakeEngine, type FakeEngineOptions } from "./fake-engine.ts";
import { type FakeRegistry, serveRegistry } from "./fake-registry.ts";

/** What distribution's own collector writes, and how it ends. */
export interface CollectorRun {
  readonly stdout: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

export const NOTHING_COLLECTED: CollectorRun = {
  stdout: "\n0 blobs marked, 0 blobs and 0 manifests eligible for deletion\n",
};

export class ServingEngine implements Engine, AsyncDisposable {
  readonly fake: FakeEngine;
  readonly info: Engine["info"];
  readonly images: Engine["images"];
  readonly networks: Engine["networks"];
  readonly inspection: Engine["inspection"];
  readonly containers: Containers;
  /** Containers that start but never answer. */
  readonly silent = new Set<string>();
  /** What a container does that was made to run distribution's own collector. */
  collector: (spec: ContainerSpec) => CollectorRun | Promise<CollectorRun> = () => NOTHING_COLLECTED;
  readonly #specs = new Map<string, ContainerSpec>();
  readonly #registries = new Map<string, FakeRegistry>();

  constructor(options: FakeEngineOptions = { images: ["registry:2"] }) {
    this.fake = new FakeEngine(options);
    const { containers } = this.fake;
    this.info = this.fake.info;
    this.images = this.fake.images;
    this.networks = this.fake.networks;
    this.inspection = this.fake.inspection;
    this.containers = {
      ...containers,
      create: async (spec, call) => {
        const id = await containers.create(spec, call);
        this.#specs.set(id, spec);
        return id;
      },
      start: async (id, call) => {
        await containers.start(id, call);
        const spec = this.#specs.get(id);
        if (spec?.command?.[0] === "garbage-collect") void this.#collect(id, spec);
        else await this.#serve(id);
      },
      stop: async (id, call) => {
        await this.#silence(id);
        await containers.stop(id, call);
      },
      remove: async (id, call) => {
        await this.#silence(id);
        await containers.remove(id, call);
      },
    };
  }

  /** Connections come and go with commands; the engine stays. */
  close(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#registries.keys()]) await this.#silence(id);
  }

  async #collect(id: string, spec: ContainerSpec): Promise<void> {
    const { stdout, stderr = "", exitCode = 0 } = await this.collector(spec);
    if ((await this.fake.containers.inspect(id))?.state !== "running") return;
    this.fake.writeLog(id, "stdout", stdout);
    this.fake.writeLog(id, "stderr", stderr);
    this.fake.exit(id, exitCode);
  }

  async #serve(id: string): Promise<void> {
    const spec = this.#specs.get(id);
    const config = spec?.mounts.find((mount) => mount.target.startsWith("/etc/"));
    if (spec === undefined || config === undefined || this.#registries.has(id) || this.silent.has(spec.image)) return;
    try {
      this.#registries.set(id, await serveRegistry(spec, config.target));
    } catch (error) {
      if (error instanceof RegctlError) throw error;
      this.fake.writeLog(id, "stderr", `${error}\n`);
      this.fake.exit(id, 1);
    }
  }

  async #silence(id: string): Promise<void> {
    const registry = this.#registries.get(id);
    this.#registries.delete(id);
    await registry?.close();
  }
}
