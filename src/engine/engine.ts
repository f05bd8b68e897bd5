/**
 * The Docker Engine as regctl sees it: our own types, no library's. `docker-engine.ts` is the implementation,
 * `test/support/fake-engine.ts` the in-memory one; `test/contract/engine.test.ts` holds both to the same behaviour.
 *
 * Every method rejects with a RegctlError: `engine-unreachable`, `engine-denied` (EACCES on the socket),
 * `engine-unsupported` (API too old or too new), `conflict` (name or port taken), `not-found`, `image-unavailable`,
 * `interrupted` (the signal was aborted), else `engine-failed`.
 */
import type { Secret } from "../secret.ts";
import type { Inspection } from "./inspection.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Which engine answers. */
export interface EngineInfo {
  /** As connected: `unix:///var/run/docker.sock`. */
  readonly endpoint: string;
  /** Where the endpoint came from: `DOCKER_HOST`, `context desktop-linux`, `default socket`. */
  readonly origin: string;
  /** Engine version: `20.10.24+dfsg1`. */
  readonly version: string;
  /** Negotiated API version, the one every call uses: `1.41`. */
  readonly apiVersion: string;
  /** GOARCH of the engine: `amd64`, `arm64`. */
  readonly architecture: string;
  /** True when the engine is Podman's compatible service. */
  readonly isPodman: boolean;
}

/** A bind mount; the source must exist (a missing one is an error, never a directory made by root). */
export interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PortBinding {
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

export interface HealthCheck {
  /** argv, run without a shell. */
  readonly command: readonly string[];
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly startPeriodSeconds: number;
}

/** Everything regctl asks of a container. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Arguments for the image's entrypoint; undefined = the image's own. */
  readonly command?: readonly string[] | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  /** `uid:gid`. */
  readonly user?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly BindMount[];
  readonly ports: readonly PortBinding[];
  readonly network?: { readonly name: string; readonly aliases: readonly string[] } | undefined;
  readonly readOnlyRoot: boolean;
  readonly dropCapabilities: readonly string[];
  readonly securityOptions: readonly string[];
  readonly restart: "no" | "unless-stopped";
  readonly stopTimeoutSeconds: number;
  readonly healthCheck?: HealthCheck | undefined;
  /** json-file rotation. */
  readonly logRotation?: { readonly maxSize: string; readonly maxFiles: number } | undefined;
  /** false: what it writes is kept nowhere, only `attach` sees it. */
  readonly keepsLogs?: boolean | undefined;
  /** Run docker-init as PID 1. */
  readonly init: boolean;
}

export const CONTAINER_STATES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];
export type ContainerHealth = "none" | "starting" | "healthy" | "unhealthy";

export interface ObservedContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** The reference the container was created with. */
  readonly image: string;
  /** `sha256:…` of the image it runs. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names of its variables, those of the image as well; what they are set to can be a secret. */
  readonly environment: readonly string[];
  readonly state: ContainerState;
  readonly health: ContainerHealth;
  /** Output of the last failed health probe; "" when there is none. */
  readonly healthOutput: string;
  readonly exitCode: number;
  /** The engine's own error about the last start; "" when there is none. */
  readonly error: string;
  readonly outOfMemory: boolean;
  readonly restartCount: number;
  /** RFC 3339; "" before the first start. */
  readonly startedAt: string;
  readonly ports: readonly PortBinding[];
  readonly networks: readonly string[];
  /** The full 1-based create request is not kept by engines; these parts are. */
  readonly mounts: readonly BindMount[];
}

export interface NetworkSpec {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ObservedImage {
  /** `sha256:…` of the configuration. */
  readonly id: string;
  readonly tags: readonly string[];
  /** `repository@sha256:…` as pulled; empty for a local build. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created: string;
}

/** What something on the engine runs, or will run when it is started. */
export interface ImageUse {
  /** `container web`, `service api`. */
  readonly by: string;
  /** As written when it was made: `r.example.com/team/api:1.4`; Swarm adds `@sha256:…`. */
  readonly image: string;
  /** `repository@sha256:…` of the image itself, for all names it was pulled from or pushed to; of services only what `image` says. */
  readonly repoDigests: readonly string[];
}

/** Bytes over all layers known so far; an engine tells a layer's size only when it begins. */
export interface PullProgress {
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly status: string;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: Secret;
  /** An OAuth identity token takes the place of the password. */
  readonly isIdentityToken: boolean;
  readonly serverAddress: string;
}

export interface LogLine {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** Labels an object has to carry, each with this value; `true` = with any. */
export type LabelFilter = Readonly<Record<string, string | true>>;

export interface Containers {
  /** All containers (running or not) that carry every one of the labels, by name. */
  list(labels: LabelFilter, options?: CallOptions): Promise<ObservedContainer[]>;
  /** Which container publishes this host port, whoever made it; undefined = none of this engine. */
  findByPort(hostPort: number, options?: CallOptions): Promise<string | undefined>;
  /** By name or id; undefined = there is none. */
  inspect(nameOrId: string, options?: CallOptions): Promise<ObservedContainer | undefined>;
  /** Resolves to the id. `conflict` when the name is taken. */
  create(spec: ContainerSpec, options?: CallOptions): Promise<string>;
  /** Already running is success. `conflict` when a host port is taken. */
  start(id: string, options?: CallOptions): Promise<void>;
  /** Already stopped or gone is success. Waits the container's stop timeout before it is killed. */
  stop(id: string, options?: CallOptions & { readonly timeoutSeconds?: number }): Promise<void>;
  /** Gone is success. Never removes named volumes. */
  remove(id: string, options?: CallOptions & { readonly force?: boolean }): Promise<void>;
  rename(id: string, name: string, options?: CallOptions): Promise<void>;
  /**
   * With `follow` ends when the container does or the signal is aborted (then without an error). `tail` counts lines,
   * `since` is RFC 3339.
   */
  logs(
    id: string,
    options: CallOptions & {
      readonly follow: boolean;
      readonly tail?: number | undefined;
      readonly since?: string | undefined;
      readonly timestamps?: boolean;
    },
  ): AsyncIterable<LogLine>;
  /**
   * Resolves once attached to a container that was not started yet: everything it writes, until it ends. Unlike `logs` it
   * loses nothing, as the container waits for a slow reader.
   */
  attach(id: string, options?: CallOptions): Promise<AsyncIterable<LogLine>>;
  /** Resolves to the exit code when the container, which was started, does not run any more. */
  wait(id: string, options?: CallOptions): Promise<number>;
  /** Bytes of memory the container uses now, page cache excluded. */
  memoryBytes(id: string, options?: CallOptions): Promise<number>;
}

export interface Images {
  inspect(reference: string, options?: CallOptions): Promise<ObservedImage | undefined>;
  /** Every tagged image of the engine. */
  list(options?: CallOptions): Promise<ObservedImage[]>;
  /** Of all containers, running or not, and of the services of its Swarm, with the one each would roll back to. */
  inUse(options?: CallOptions): Promise<ImageUse[]>;
  /** `image-unavailable` with `details.reason` "network" | "unauthorized" | "not-found" | "tls" | "rate-limit" | "other". */
  pull(
    reference: string,
    options?: CallOptions & {
      readonly credentials?: RegistryCredentials | undefined;
      readonly onProgress?: ((progress: PullProgress) => void) | undefined;
    },
  ): Promise<void>;
  /** Loads a `docker save` archive; resolves to the references or ids the engine says it loaded. */
  load(archive: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<string[]>;
  /** A `docker save` archive of these references. */
  save(references: readonly string[], options?: CallOptions): AsyncIterable<Uint8Array>;
}

export interface Networks {
  list(labels: LabelFilter, options?: CallOptions): Promise<ObservedNetwork[]>;
  inspect(name: string, options?: CallOptions): Promise<ObservedNetwork | undefined>;
  /** `conflict` when the name is taken. Resolves to the id. */
  create(spec: NetworkSpec, options?: CallOptions): Promise<string>;
  /** Gone is success; `conflict` when a container still uses it. */
  remove(id: string, options?: CallOptions): Promise<void>;
}

export interface Engine {
  readonly info: EngineInfo;
  readonly containers: Containers;
  readonly images: Images;
  readonly networks: Networks;
  readonly inspection: Inspection;
  /** Frees the connection; the engine is not usable afterwards. */
  close(): void;
}
