/** The container spec as compose.yaml: what `docker compose up -d` starts is what regctl starts. */
import { relative } from "node:path";
import { dump } from "js-yaml";
import type { BindMount, ContainerSpec, NetworkSpec } from "../engine/engine.ts";

/** Relative inside the folder, so that it can be moved; absolute elsewhere. */
function sourcePath(directory: string, source: string): string {
  const path = relative(directory, source);
  return path.startsWith("..") || path.startsWith("/") ? source : `./${path}`;
}

function volume(directory: string, mount: BindMount): Record<string, unknown> {
  return {
    type: "bind",
    source: sourcePath(directory, mount.source),
    target: mount.target,
    ...(mount.readOnly ? { read_only: true } : {}),
    bind: { create_host_path: false },
  };
}

/** compose interpolates `$NAME` in every string. */
function literal(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, literal(child)]));
  }
  return value;
}

/** The text of compose.yaml for one service; holds no secret. */
export function composeFile(project: string, directory: string, service: string, spec: ContainerSpec, network: NetworkSpec): string {
  const health = spec.healthCheck;
  const document = {
    name: project,
    services: {
      [service]: {
        image: spec.image,
        ...(spec.user === undefined ? {} : { user: spec.user }),
        ...(Object.keys(spec.environment).length === 0 ? {} : { environment: spec.environment }),
        labels: spec.labels,
        ports: spec.ports.map((port) => ({
          host_ip: port.hostAddress,
          published: String(port.hostPort),
          target: port.containerPort,
          protocol: "tcp",
          mode: "host",
        })),
        volumes: spec.mounts.map((mount) => volume(directory, mount)),
        networks: { default: null },
        read_only: spec.readOnlyRoot,
        cap_drop: spec.dropCapabilities,
        security_opt: spec.securityOptions,
        restart: spec.restart,
        stop_grace_period: `${spec.stopTimeoutSeconds}s`,
        ...(health === undefined
          ? {}
          : {
              healthcheck: {
                test: ["CMD", ...health.command],
                interval: `${health.intervalSeconds}s`,
                timeout: `${health.timeoutSeconds}s`,
                retries: health.retries,
                start_period: `${health.startPeriodSeconds}s`,
              },
            }),
        ...(spec.logRotation === undefined
          ? {}
          : { logging: { driver: "json-file", options: { "max-size": spec.logRotation.maxSize, "max-file": String(spec.logRotation.maxFiles) } } }),
      },
    },
    networks: { default: { labels: network.labels } },
  };
  return `# Rendered by regctl from regctl.yaml: change it there, then run \`regctl up\`.\n# It needs no regctl: \`docker compose up -d\` starts the same registry.\n${dump(literal(document), { lineWidth: -1, noRefs: true })}`;
}
