/** Config and what is on disk -> what should run. Pure: no file, no engine. */
import { createHash } from "node:crypto";
import type { Config } from "../config/config.ts";
import { STOP_TIMEOUT_SECONDS } from "../config/defaults.ts";
import {
  CONTAINER_PATHS,
  containerPort,
  foreignStorageDriver,
  healthUrl,
  registryConfig,
} from "../config/registry-config.ts";
import type { BindMount, ContainerSpec, NetworkSpec } from "../engine/engine.ts";
import type { Secret } from "../secret.ts";
import { composeConfigHash, composeFile } from "./compose.ts";
import {
  CERTIFICATE_LABEL,
  CLIENT_AUTHORITIES_LABEL,
  CONFIGURATION_LABEL,
  composeLabels,
  composeNetworkLabels,
  DEPLOYMENT_LABEL,
  DIRECTORY_LABEL,
  SERVICE_LABEL,
  SPEC_LABEL,
} from "./labels.ts";
import { containerName, networkName, REGISTRY_SERVICE } from "./names.ts";
import { renderRegistryConfig } from "./registry-config.ts";

export interface DesiredInput {
  readonly config: Config;
  /** Absolute folder of regctl.yaml. */
  readonly directory: string;
  readonly httpSecret: Secret;
  /** SHA-256 fingerprint of certs/domain.crt; undefined without TLS. */
  readonly certificateFingerprint: string | undefined;
  /** PEM of every authority of client certificates; undefined where clients need none. */
  readonly clientAuthorities?: string | undefined;
  /** The CA key lies in the mounted folder and has to be hidden from the container. */
  readonly hidesAuthorityKey: boolean;
}

export interface RenderedFile {
  /** Relative to the deployment folder. */
  readonly path: "compose.yaml" | "registry/config.yml" | "certs/client-ca.crt";
  readonly content: string;
  /** Holds a secret: 0600 and owned by who the container runs as. */
  readonly secret: boolean;
}

export interface DesiredState {
  readonly deployment: string;
  readonly network: NetworkSpec;
  readonly container: ContainerSpec;
  readonly files: readonly RenderedFile[];
}

/** As labels carry it. */
function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

function mounts(config: Config, directory: string, hidesAuthorityKey: boolean): BindMount[] {
  const read = (source: string, target: string): BindMount => ({ source, target, readOnly: true });
  return [
    read(`${directory}/registry`, CONTAINER_PATHS.configuration[config.major]),
    ...(config.auth.mode === "htpasswd" ? [read(`${directory}/auth`, CONTAINER_PATHS.auth)] : []),
    ...(config.tls.mode === "none" ? [] : [read(`${directory}/certs`, CONTAINER_PATHS.certificates)]),
    // The folder is mounted whole so that a renewed file is seen; whoever takes over the registry must not get to sign with the CA.
    ...(hidesAuthorityKey ? [read("/dev/null", `${CONTAINER_PATHS.certificates}/ca.key`)] : []),
    ...(foreignStorageDriver(config) === undefined
      ? [{ source: config.data, target: CONTAINER_PATHS.data, readOnly: false }]
      : []),
  ];
}

/** The label of a container that was started with this config.yml. */
export function configurationLabel(configText: string): string {
  return hash(configText);
}

export function desiredState(input: DesiredInput): DesiredState {
  const { config, directory } = input;
  const rendered = registryConfig(config, input.httpSecret);
  const configText = renderRegistryConfig(rendered);
  const bare: ContainerSpec = {
    name: containerName(config.name, REGISTRY_SERVICE),
    image: config.image,
    user: `${config.user.uid}:${config.user.gid}`,
    // 3.x exports traces to localhost unless told not to.
    environment: config.major === 3 ? { OTEL_TRACES_EXPORTER: "none" } : {},
    labels: {},
    mounts: mounts(config, directory, input.hidesAuthorityKey),
    ports: [{ hostAddress: config.bind, hostPort: config.port, containerPort: containerPort(rendered) }],
    network: { name: networkName(config.name), aliases: [REGISTRY_SERVICE] },
    readOnlyRoot: true,
    dropCapabilities: ["ALL"],
    securityOptions: ["no-new-privileges"],
    restart: "unless-stopped",
    stopTimeoutSeconds: STOP_TIMEOUT_SECONDS,
    healthCheck: {
      command: ["wget", "-q", "-O", "/dev/null", healthUrl(rendered)],
      intervalSeconds: 10,
      timeoutSeconds: 5,
      retries: 3,
      startPeriodSeconds: 5,
    },
    logRotation: { maxSize: "10m", maxFiles: 3 },
    init: false,
  };
  const labels: Record<string, string> = {
    [DEPLOYMENT_LABEL]: config.name,
    [DIRECTORY_LABEL]: directory,
    [SERVICE_LABEL]: REGISTRY_SERVICE,
    [CONFIGURATION_LABEL]: configurationLabel(configText),
    ...(input.certificateFingerprint === undefined ? {} : { [CERTIFICATE_LABEL]: input.certificateFingerprint }),
    ...(input.clientAuthorities === undefined ? {} : { [CLIENT_AUTHORITIES_LABEL]: hash(input.clientAuthorities) }),
    [SPEC_LABEL]: hash(bare),
  };
  const container = { ...bare, labels };
  const network = { name: networkName(config.name), labels: { [DEPLOYMENT_LABEL]: config.name } };
  return {
    deployment: config.name,
    network: { ...network, labels: { ...network.labels, ...composeNetworkLabels(config.name) } },
    container: {
      ...container,
      labels: { ...labels, ...composeLabels(config.name, REGISTRY_SERVICE, directory, composeConfigHash(container)) },
    },
    files: [
      ...(input.clientAuthorities === undefined
        ? []
        : [{ path: "certs/client-ca.crt", content: input.clientAuthorities, secret: false } as const]),
      { path: "registry/config.yml", content: configText, secret: true },
      {
        path: "compose.yaml",
        content: composeFile(config.name, directory, REGISTRY_SERVICE, container, network),
        secret: false,
      },
    ],
  };
}
