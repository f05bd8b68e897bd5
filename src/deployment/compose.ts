/** The container spec as compose.yaml: what `docker compose up -d` starts is what regctl starts. */
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { dump } from "js-yaml";
import type { BindMount, ContainerSpec, NetworkSpec } from "../engine/engine.ts";

/** Relative inside the folder, so that it can be moved; absolute elsewhere. */
function sourcePath(directory: string, source: string): string {
  const path = relative(directory, source);
  return path.startsWith("..") || path.startsWith("/") ? source : `./${path}`;
}

function volume(mount: BindMount, source: string, bind: Record<string, unknown>): Record<string, unknown> {
  return { type: "bind", source, target: mount.target, ...(mount.readOnly ? { read_only: true } : {}), bind };
}

/** One service in the order of compose's own structure, so that its JSON can be hashed as compose does. */
function service(spec: ContainerSpec, volumes: readonly Record<string, unknown>[]): Record<string, unknown> {
  const { healthCheck: health, logRotation } = spec;
  return {
    cap_drop: spec.dropCapabilities,
    ...(Object.keys(spec.environment).length === 0 ? {} : { environment: sorted(spec.environment) }),
    ...(health === undefined
      ? {}
      : {
          healthcheck: {
            test: ["CMD", ...health.command],
            timeout: `${health.timeoutSeconds}s`,
            interval: `${health.intervalSeconds}s`,
            retries: health.retries,
            start_period: `${health.startPeriodSeconds}s`,
          },
        }),
    image: spec.image,
    labels: sorted(spec.labels),
    ...(logRotation === undefined
      ? {}
      : {
          logging: {
            driver: "json-file",
            options: { "max-file": String(logRotation.maxFiles), "max-size": logRotation.maxSize },
          },
        }),
    networks: { default: null },
    ports: spec.ports.map((port) => ({
      mode: "host",
      host_ip: port.hostAddress,
      target: port.containerPort,
      published: String(port.hostPort),
      protocol: "tcp",
    })),
    read_only: spec.readOnlyRoot,
    restart: spec.restart,
    security_opt: spec.securityOptions,
    stop_grace_period: `${spec.stopTimeoutSeconds}s`,
    ...(spec.user === undefined ? {} : { user: spec.user }),
    volumes,
  };
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** encoding/json escapes what HTML would mistake for markup. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The hash compose labels a container of this service with (ServiceHash in pkg/compose/hash.go: SHA-256 of the
 * service's JSON with absolute paths); equal ones are left alone by `docker compose up`.
 */
export function composeConfigHash(spec: ContainerSpec): string {
  const { cap_drop, ...rest } = service(
    spec,
    spec.mounts.map((mount) => volume(mount, mount.source, {})),
  );
  return createHash("sha256")
    .update(goJson({ cap_drop, command: null, entrypoint: null, ...rest }))
    .digest("hex");
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
export function composeFile(
  project: string,
  directory: string,
  name: string,
  spec: ContainerSpec,
  network: NetworkSpec,
): string {
  const volumes = spec.mounts.map((mount) =>
    volume(mount, sourcePath(directory, mount.source), { create_host_path: false }),
  );
  const document = {
    name: project,
    services: { [name]: service(spec, volumes) },
    networks: { default: { labels: network.labels } },
  };
  return `# Rendered by regctl from regctl.yaml: change it there, then run \`regctl up\`.\n# It needs no regctl: \`docker compose up -d\` starts the same registry.\n${dump(literal(document), { lineWidth: -1, noRefs: true })}`;
}
