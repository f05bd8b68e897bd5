/** An engine in memory: the state of one, with its conflicts, kept honest by test/contract/engine.test.ts. */
import type { Containers, Engine, EngineInfo, Images, ImageUse, Networks } from "../../src/engine/engine.ts";
import type { EngineDetails, Inspection } from "../../src/engine/inspection.ts";
import { RegctlError } from "../../src/errors.ts";
import { FakeContainers } from "./fake-containers.ts";
import { FakeImages } from "./fake-images.ts";
import { FakeNetworks } from "./fake-networks.ts";

export type FakeOperation =
  | `containers.${keyof Containers}`
  | `images.${keyof Images}`
  | `networks.${keyof Networks}`
  | `inspection.${keyof Inspection}`;

export interface FakeEngineOptions {
  /** References the engine has. */
  readonly images?: readonly string[];
  /** References a pull finds; all others fail as a host without a network does. */
  readonly pullable?: readonly string[];
  readonly info?: Partial<EngineInfo>;
  readonly details?: Partial<EngineDetails>;
  /** What the health check of a started container says; default "healthy". */
  readonly healthAfterStart?: "starting" | "healthy" | "unhealthy";
}

export interface Fault {
  readonly error: Error;
  /** How many calls fail; default 1. */
  readonly times?: number;
  /** "after": the engine does it and the answer is lost; default "before". */
  readonly when?: "before" | "after";
}

const DEFAULT_INFO: EngineInfo = {
  endpoint: "unix:///var/run/docker.sock",
  origin: "default socket",
  version: "20.10.24",
  apiVersion: "1.41",
  architecture: "amd64",
  isPodman: false,
};

const DEFAULT_DETAILS: Omit<EngineDetails, "time"> = {
  operatingSystem: "Debian GNU/Linux 12 (bookworm)",
  rootFolder: "/var/lib/docker",
  keepsContainersAlive: false,
  isRootless: false,
  labelsWithSelinux: false,
  httpProxy: "",
  httpsProxy: "",
  noProxy: "",
  insecureRegistries: ["127.0.0.0/8"],
  mirrors: [],
};

export class FakeEngine implements Engine {
  readonly info: EngineInfo;
  readonly containers: Containers;
  readonly images: Images;
  readonly networks: Networks;
  readonly inspection: Inspection;
  /** Operations in the order they were called, for tests that interrupt after the n-th. */
  readonly calls: FakeOperation[] = [];
  isClosed = false;
  readonly #containers: FakeContainers;
  readonly #services: ImageUse[] = [];
  readonly #faults = new Map<FakeOperation, { error: Error; left: number; when: "before" | "after" }>();

  constructor(options: FakeEngineOptions = {}) {
    this.info = { ...DEFAULT_INFO, ...options.info };
    const images = new FakeImages(options.images ?? [], options.pullable ?? [], this.info.architecture);
    const networks = new FakeNetworks((name) => this.#containers.isNetworkInUse(name));
    this.#containers = new FakeContainers(images, networks, options.healthAfterStart ?? "healthy");
    this.containers = this.#guard("containers", this.#containers.port);
    const inUse = async () => [...this.#containers.imagesInUse(), ...this.#services];
    this.images = this.#guard("images", { ...images.port, inUse });
    this.networks = this.#guard("networks", networks.port);
    this.inspection = this.#guard("inspection", {
      details: async () => ({ ...DEFAULT_DETAILS, time: new Date().toISOString(), ...options.details }),
      settings: async (nameOrId) => this.#containers.settings(nameOrId),
      networks: async () => networks.addresses(),
      registry: async () => "no basic auth credentials",
    } satisfies Inspection);
  }

  /** The next calls of this operation fail. */
  failOn(operation: FakeOperation, error: Error, options: Omit<Fault, "error"> = {}): void {
    this.#faults.set(operation, { error, left: options.times ?? 1, when: options.when ?? "before" });
  }

  setHealth(nameOrId: string, health: "starting" | "healthy" | "unhealthy", output = ""): void {
    this.#containers.setHealth(nameOrId, health, output);
  }

  /** The container's process ends. */
  exit(nameOrId: string, exitCode: number, details: { error?: string; outOfMemory?: boolean } = {}): void {
    this.#containers.exit(nameOrId, exitCode, details);
  }

  /** The container's process ends each time the engine starts it again. */
  crashLoop(nameOrId: string, exitCode: number): void {
    this.#containers.crashLoop(nameOrId, exitCode);
  }

  writeLog(nameOrId: string, stream: "stdout" | "stderr", text: string): void {
    this.#containers.writeLog(nameOrId, stream, text);
  }

  /** The engine is part of a Swarm that has this service, with what it ran before if it was updated. */
  addService(name: string, ...images: string[]): void {
    this.#services.push(...images.map((image) => ({ by: `service ${name}`, image, repoDigests: [] })));
  }

  /** A process outside the engine listens on this port. */
  occupyPort(hostPort: number): void {
    this.#containers.occupiedPorts.add(hostPort);
  }

  close(): void {
    this.isClosed = true;
  }

  #guard<T extends object>(noun: string, port: T): T {
    const guarded = Object.entries(port).map(([method, call]) => {
      const operation = `${noun}.${method}` as FakeOperation;
      const isStream = operation === "containers.logs" || operation === "images.save";
      return [method, isStream ? this.#guardStream(operation, call) : this.#guardCall(operation, call)];
    });
    return Object.fromEntries(guarded) as T;
  }

  #guardCall(operation: FakeOperation, call: (...parameters: unknown[]) => Promise<unknown>) {
    return async (...parameters: unknown[]) => {
      this.#enter(operation, parameters.map(signalOf).find(Boolean));
      const result = await call(...parameters);
      this.#fail(operation, "after");
      return result;
    };
  }

  #guardStream(operation: FakeOperation, call: (...parameters: unknown[]) => AsyncIterable<unknown>) {
    const enter = () => this.#enter(operation, undefined);
    return async function* (...parameters: unknown[]) {
      enter();
      yield* call(...parameters);
    };
  }

  #enter(operation: FakeOperation, signal: AbortSignal | undefined): void {
    if (this.isClosed) throw new Error(`${operation} after the engine was closed`);
    this.calls.push(operation);
    if (signal?.aborted) {
      if (signal.reason instanceof RegctlError) throw signal.reason;
      throw new RegctlError("interrupted", `interrupted: ${operation}`);
    }
    this.#fail(operation, "before");
  }

  #fail(operation: FakeOperation, when: "before" | "after"): void {
    const fault = this.#faults.get(operation);
    if (fault === undefined || fault.when !== when || fault.left === 0) return;
    fault.left -= 1;
    throw fault.error;
  }
}

function signalOf(parameter: unknown): AbortSignal | undefined {
  if (typeof parameter !== "object" || parameter === null || !("signal" in parameter)) return undefined;
  return parameter.signal instanceof AbortSignal ? parameter.signal : undefined;
}
