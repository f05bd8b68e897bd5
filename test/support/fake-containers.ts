import { EventEmitter, once } from "node:events";
import { existsSync } from "node:fs";
import type {
  ContainerHealth,
  ContainerSpec,
  ContainerState,
  Containers,
  ImageUse,
  LogLine,
  ObservedContainer,
} from "../../src/engine/engine.ts";
import type { ContainerSettings } from "../../src/engine/inspection.ts";
import { RegctlError } from "../../src/errors.ts";
import type { FakeImages } from "./fake-images.ts";
import type { FakeNetworks } from "./fake-networks.ts";
import { hasEvery, newId } from "./fake-objects.ts";

interface FakeContainer {
  readonly id: string;
  name: string;
  readonly spec: ContainerSpec;
  readonly imageId: string;
  state: ContainerState;
  health: ContainerHealth;
  healthOutput: string;
  exitCode: number;
  error: string;
  outOfMemory: boolean;
  restartCount: number;
  startedAt: string;
  readonly logs: (LogLine & { readonly time: string })[];
  /** Emits "change" when it writes, stops or goes. */
  readonly events: EventEmitter;
}

const MEMORY_BYTES = 8 * 1024 * 1024;
const EVERY_ADDRESS = new Set(["", "0.0.0.0", "::"]);

export class FakeContainers {
  readonly occupiedPorts = new Set<number>();
  readonly #containers = new Map<string, FakeContainer>();
  readonly #images: FakeImages;
  readonly #networks: FakeNetworks;
  readonly #healthAfterStart: ContainerHealth;

  constructor(images: FakeImages, networks: FakeNetworks, healthAfterStart: ContainerHealth) {
    this.#images = images;
    this.#networks = networks;
    this.#healthAfterStart = healthAfterStart;
  }

  isNetworkInUse(name: string): boolean {
    return this.#running().some(({ spec }) => spec.network?.name === name);
  }

  imagesInUse(): ImageUse[] {
    return [...this.#containers.values()].map(({ name, spec, imageId }) => ({
      by: `container ${name}`,
      image: spec.image,
      repoDigests: [...(this.#images.find(imageId)?.repoDigests ?? [])],
    }));
  }

  setHealth(nameOrId: string, health: ContainerHealth, output: string): void {
    const container = this.#require(nameOrId, "set the health of");
    container.health = health;
    container.healthOutput = output;
  }

  exit(nameOrId: string, exitCode: number, details: { error?: string; outOfMemory?: boolean }): void {
    const container = this.#require(nameOrId, "end");
    Object.assign(container, { state: "exited", exitCode, ...details });
    if (container.health !== "none") container.health = "unhealthy";
    container.events.emit("change");
  }

  crashLoop(nameOrId: string, exitCode: number): void {
    const container = this.#require(nameOrId, "crash");
    Object.assign(container, { state: "restarting", exitCode, restartCount: container.restartCount + 3 });
  }

  writeLog(nameOrId: string, stream: "stdout" | "stderr", text: string): void {
    const container = this.#require(nameOrId, "write to");
    container.logs.push({ stream, data: Buffer.from(text), time: new Date().toISOString() });
    container.events.emit("change");
  }

  settings(nameOrId: string): ContainerSettings | undefined {
    const spec = this.#find(nameOrId)?.spec;
    if (spec === undefined) return undefined;
    const { maxSize, maxFiles } = spec.logRotation ?? {};
    return {
      restart: spec.restart,
      logDriver: spec.keepsLogs === false ? "none" : "json-file",
      logOptions: maxSize === undefined ? {} : { "max-size": maxSize, "max-file": String(maxFiles) },
      mounts: spec.mounts.map(({ source, target }) => ({ kind: "bind", name: "", source, target })),
    };
  }

  readonly port: Containers = {
    list: async (labels) =>
      [...this.#containers.values()]
        .filter(({ spec }) => hasEvery(spec.labels, labels))
        .map(observe)
        .sort((one, other) => (one.name < other.name ? -1 : 1)),

    findByPort: async (hostPort) =>
      this.#running().find(({ spec }) => spec.ports.some((port) => port.hostPort === hostPort))?.name,

    inspect: async (nameOrId) => {
      const container = this.#find(nameOrId);
      return container && observe(container);
    },

    create: async (spec) => this.#create(spec),

    start: async (id) => {
      const container = this.#require(id, "start");
      if (container.state !== "running") this.#start(container);
    },

    stop: async (id) => {
      const container = this.#find(id);
      if (container?.state === "running" || container?.state === "restarting") this.exit(id, 0, {});
    },

    remove: async (id, { force = false } = {}) => {
      const container = this.#find(id);
      if (container === undefined) return;
      if (container.state === "running" && !force) {
        throw new RegctlError("conflict", `cannot remove container ${container.name}: it is running`);
      }
      this.#containers.delete(container.id);
      container.state = "dead";
      container.events.emit("change");
    },

    rename: async (id, name) => {
      const container = this.#require(id, "rename");
      if (container.name === name) return;
      this.#requireFreeName(name, `rename container ${id} to ${name}`);
      container.name = name;
    },

    logs: (id, options) => this.#logs(id, options),

    attach: async (id, { signal } = {}) => this.#output(this.#require(id, "read the output of"), signal),

    wait: async (id, { signal } = {}) => {
      const container = this.#require(id, "wait for");
      while (container.state === "running") await change(container, signal);
      return container.exitCode;
    },

    memoryBytes: async (id) => (this.#require(id, "measure").state === "running" ? MEMORY_BYTES : 0),
  };

  #create(spec: ContainerSpec): string {
    const doing = `create container ${spec.name}`;
    const image = this.#images.find(spec.image);
    if (image === undefined) {
      throw new RegctlError("image-unavailable", `cannot ${doing}: there is no image ${spec.image} on the engine`, {
        details: { reference: spec.image, reason: "not-found" },
      });
    }
    requireMountSources(spec, doing);
    this.#requireFreeName(spec.name, doing);
    const id = newId();
    this.#containers.set(id, {
      id,
      name: spec.name,
      spec: structuredClone(spec),
      imageId: image.id,
      state: "created",
      health: "none",
      healthOutput: "",
      exitCode: 0,
      error: "",
      outOfMemory: false,
      restartCount: 0,
      startedAt: "",
      logs: [],
      events: new EventEmitter(),
    });
    return id;
  }

  #start(container: FakeContainer): void {
    const doing = `start container ${container.name}`;
    requireMountSources(container.spec, doing);
    const network = container.spec.network?.name;
    if (network !== undefined && this.#networks.find(network) === undefined) {
      throw new RegctlError("not-found", `cannot ${doing}: network ${network} not found`);
    }
    this.#requireFreePorts(container, doing);
    Object.assign(container, {
      state: "running",
      exitCode: 0,
      error: "",
      outOfMemory: false,
      startedAt: new Date().toISOString(),
      health: container.spec.healthCheck === undefined ? "none" : this.#healthAfterStart,
    });
  }

  #requireFreePorts(container: FakeContainer, doing: string): void {
    for (const { hostPort, hostAddress } of container.spec.ports) {
      const holder = this.#running().find(({ spec }) =>
        spec.ports.some((port) => port.hostPort === hostPort && overlaps(port.hostAddress, hostAddress)),
      )?.name;
      if (holder === undefined && !this.occupiedPorts.has(hostPort)) continue;
      const by = holder === undefined ? "another process of this host" : `container ${holder}`;
      Object.assign(container, {
        error: `Bind for ${hostAddress}:${hostPort} failed: port is already allocated`,
        exitCode: 128,
      });
      throw new RegctlError("conflict", `cannot ${doing}: port ${hostPort} is in use by ${by}`, {
        hint: "set another port in regctl.yaml, then: regctl up",
        details: { port: hostPort, holder },
      });
    }
  }

  #requireFreeName(name: string, doing: string): void {
    if ([...this.#containers.values()].every((container) => container.name !== name)) return;
    throw new RegctlError("conflict", `cannot ${doing}: another container has the name`, {
      details: { container: name },
    });
  }

  #running(): FakeContainer[] {
    return [...this.#containers.values()].filter(({ state }) => state === "running");
  }

  #find(nameOrId: string): FakeContainer | undefined {
    return [...this.#containers.values()].find(
      ({ id, name }) => name === nameOrId || id === nameOrId || (nameOrId.length >= 12 && id.startsWith(nameOrId)),
    );
  }

  #require(nameOrId: string, verb: string): FakeContainer {
    const container = this.#find(nameOrId);
    if (container !== undefined) return container;
    throw new RegctlError("not-found", `cannot ${verb} container ${nameOrId}: No such container: ${nameOrId}`);
  }

  async *#output(container: FakeContainer, signal: AbortSignal | undefined): AsyncGenerator<LogLine> {
    for (let next = container.logs.length; ; ) {
      for (; next < container.logs.length; next += 1) {
        const { stream, data } = container.logs[next] as LogLine;
        yield { stream, data };
      }
      if (container.state !== "created" && container.state !== "running") return;
      await change(container, signal);
    }
  }

  async *#logs(id: string, options: Parameters<Containers["logs"]>[1]): AsyncGenerator<LogLine> {
    const { signal, follow, tail, since, timestamps = false } = options;
    if (signal?.aborted && !follow)
      throw new RegctlError("interrupted", `interrupted: read the logs of container ${id}`);
    const container = this.#require(id, "read the logs of");
    const kept = container.logs.filter(({ time }) => since === undefined || Date.parse(time) >= Date.parse(since));
    let next = container.logs.length - (tail === undefined ? kept.length : Math.min(tail, kept.length));
    while (!signal?.aborted) {
      for (; next < container.logs.length; next += 1) {
        const line = container.logs[next];
        if (line !== undefined) yield { stream: line.stream, data: stamped(line, timestamps) };
      }
      if (!follow || container.state !== "running") return;
      await once(container.events, "change", signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
}

async function change(container: FakeContainer, signal: AbortSignal | undefined): Promise<void> {
  try {
    await once(container.events, "change", signal === undefined ? {} : { signal });
  } catch {
    if (signal?.reason instanceof RegctlError) throw signal.reason;
    throw new RegctlError("interrupted", `interrupted: wait for container ${container.name}`);
  }
}

function stamped({ data, time }: { data: Buffer; time: string }, timestamps: boolean): Buffer {
  return timestamps ? Buffer.concat([Buffer.from(`${time} `), data]) : data;
}

function overlaps(one: string, other: string): boolean {
  return one === other || EVERY_ADDRESS.has(one) || EVERY_ADDRESS.has(other);
}

function requireMountSources({ mounts }: ContainerSpec, doing: string): void {
  const missing = mounts.find(({ source }) => !existsSync(source));
  if (missing === undefined) return;
  throw new RegctlError("engine-failed", `cannot ${doing}: bind source path does not exist: ${missing.source}`);
}

function observe(container: FakeContainer): ObservedContainer {
  const { spec, logs: _logs, events: _events, ...state } = container;
  return {
    ...state,
    image: spec.image,
    labels: { ...spec.labels },
    environment: ["PATH", ...Object.keys(spec.environment)],
    ports: [...spec.ports],
    networks: [spec.network?.name ?? "bridge"],
    mounts: [...spec.mounts],
  };
}
