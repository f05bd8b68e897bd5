/** Our specs to Engine API bodies, and the engine's answers to our observations. */
import type { ContainerCreateOptions, ContainerInspectInfo, ImageInspectInfo, MountSettings } from "dockerode";
import {
  CONTAINER_STATES,
  type ContainerHealth,
  type ContainerSpec,
  type ContainerState,
  type HealthCheck,
  type LabelFilter,
  type ObservedContainer,
  type ObservedImage,
  type PortBinding,
} from "./engine.ts";

const NANOSECONDS = 1_000_000_000;
/** What Go's zero time looks like: the engine's "never". */
const ZERO_TIME = "0001-01-01T00:00:00Z";

/** The body of `POST /containers/create`. */
export function toCreateBody(spec: ContainerSpec): ContainerCreateOptions {
  return {
    Image: spec.image,
    ...(spec.command && { Cmd: [...spec.command] }),
    ...(spec.entrypoint && { Entrypoint: [...spec.entrypoint] }),
    ...(spec.user !== undefined && { User: spec.user }),
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels },
    ExposedPorts: Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    StopTimeout: spec.stopTimeoutSeconds,
    ...(spec.healthCheck && { Healthcheck: toHealthcheck(spec.healthCheck) }),
    HostConfig: {
      Mounts: spec.mounts.map(
        (mount): MountSettings => ({
          Type: "bind",
          Source: mount.source,
          Target: mount.target,
          ReadOnly: mount.readOnly,
        }),
      ),
      PortBindings: toPortBindings(spec.ports),
      ReadonlyRootfs: spec.readOnlyRoot,
      CapDrop: [...spec.dropCapabilities],
      SecurityOpt: [...spec.securityOptions],
      RestartPolicy: { Name: spec.restart },
      Init: spec.init,
      // The network it starts in, which is the engine's default bridge otherwise.
      ...(spec.network && { NetworkMode: spec.network.name }),
      ...(spec.logRotation && {
        LogConfig: {
          Type: "json-file",
          Config: { "max-size": spec.logRotation.maxSize, "max-file": String(spec.logRotation.maxFiles) },
        },
      }),
      ...(spec.keepsLogs === false && { LogConfig: { Type: "none", Config: {} } }),
    },
    ...(spec.network && {
      NetworkingConfig: { EndpointsConfig: { [spec.network.name]: { Aliases: [...spec.network.aliases] } } },
    }),
  };
}

function toHealthcheck(check: HealthCheck) {
  return {
    Test: ["CMD", ...check.command],
    Interval: check.intervalSeconds * NANOSECONDS,
    Timeout: check.timeoutSeconds * NANOSECONDS,
    Retries: check.retries,
    StartPeriod: check.startPeriodSeconds * NANOSECONDS,
  };
}

function toPortBindings(ports: readonly PortBinding[]) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    bindings[portKey(port)] ??= [];
    bindings[portKey(port)]?.push({ HostIp: port.hostAddress, HostPort: String(port.hostPort) });
  }
  return bindings;
}

function portKey(port: PortBinding): string {
  return `${port.containerPort}/tcp`;
}

/** One container from `GET /containers/{id}/json`. */
export function toObservedContainer(inspect: ContainerInspectInfo): ObservedContainer {
  const { State: state } = inspect;
  return {
    id: inspect.Id,
    name: inspect.Name.replace(/^\//, ""),
    image: inspect.Config.Image,
    imageId: inspect.Image,
    labels: inspect.Config.Labels ?? {},
    environment: (inspect.Config.Env ?? []).map((variable) => variable.split("=", 1)[0] as string),
    state: toState(state),
    health: toHealth(state.Health?.Status),
    healthOutput: (state.Health?.Log ?? []).findLast((probe) => probe.ExitCode !== 0)?.Output.trim() ?? "",
    exitCode: state.ExitCode,
    error: state.Error ?? "",
    outOfMemory: state.OOMKilled ?? false,
    restartCount: inspect.RestartCount ?? 0,
    startedAt: state.StartedAt === ZERO_TIME ? "" : (state.StartedAt ?? ""),
    ports: toPorts(inspect),
    networks: Object.keys(inspect.NetworkSettings.Networks ?? {}),
    mounts: (inspect.Mounts ?? [])
      .filter((mount) => mount.Type === "bind")
      .map((mount) => ({ source: mount.Source, target: mount.Destination, readOnly: !mount.RW })),
  };
}

/** Podman has states of its own (`configured`, `stopping`); they come down to whether it runs. */
function toState(state: ContainerInspectInfo["State"]): ContainerState {
  const known = CONTAINER_STATES.find((name) => name === state.Status);
  if (known !== undefined) return known;
  return state.Running ? "running" : "exited";
}

function toHealth(status: string | undefined): ContainerHealth {
  return status === "starting" || status === "healthy" || status === "unhealthy" ? status : "none";
}

/** As asked for, which a stopped container still tells; a port left to the engine's choice as it was chosen. */
function toPorts(inspect: ContainerInspectInfo): PortBinding[] {
  const asked = (inspect.HostConfig.PortBindings ?? {}) as Record<
    string,
    { HostIp?: string; HostPort?: string }[] | null
  >;
  return Object.entries(asked).flatMap(([key, bindings]) =>
    (bindings ?? []).map((binding, index) => {
      const chosen = inspect.NetworkSettings.Ports?.[key]?.[index]?.HostPort;
      return {
        hostAddress: binding.HostIp || "0.0.0.0",
        hostPort: Number(binding.HostPort) || Number(chosen ?? 0),
        containerPort: Number.parseInt(key, 10),
      };
    }),
  );
}

/** One image from `GET /images/{name}/json`. */
export function toObservedImage(inspect: ImageInspectInfo): ObservedImage {
  return {
    id: inspect.Id,
    tags: inspect.RepoTags ?? [],
    repoDigests: inspect.RepoDigests ?? [],
    sizeBytes: inspect.Size,
    architecture: inspect.Architecture,
    labels: inspect.Config?.Labels ?? {},
    created: inspect.Created ?? "",
  };
}

/** The parts of `GET /containers/{id}/stats` that tell memory; empty for a container that does not run. */
export interface MemoryStats {
  readonly usage?: number;
  readonly stats?: Readonly<Record<string, number>>;
}

/** Memory without reclaimable page cache, as `docker stats` counts it for cgroup v1 and v2. */
export function toMemoryBytes(memory: MemoryStats | undefined): number {
  const usage = memory?.usage ?? 0;
  const inactive = memory?.stats?.total_inactive_file ?? memory?.stats?.inactive_file ?? memory?.stats?.cache ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

/** True when every wanted label is there with exactly that value. */
export function hasLabels(labels: Readonly<Record<string, string>>, wanted: LabelFilter): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(labels, name) && (value === true || labels[name] === value),
  );
}

/** The `filters` parameter that asks the engine for these labels, all of them. */
export function labelFilters(labels: LabelFilter): { label: string[] } {
  return { label: Object.entries(labels).map(([name, value]) => (value === true ? name : `${name}=${value}`)) };
}
