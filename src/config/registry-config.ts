/** Config -> distribution's COMPLETE config.yml. No REGISTRY_* variable is ever set: they override files in surprising ways. */
import type { Secret } from "../secret.ts";
import type { Config } from "./config.ts";
import { DRAIN_SECONDS } from "./defaults.ts";

type Section = Record<string, unknown>;

/** Paths inside the registry container. */
export const CONTAINER_PATHS = {
  data: "/var/lib/registry",
  auth: "/auth",
  certificates: "/certs",
  /** The default configuration folder of the official images: 2.x and 3.x differ, and neither looks at the other's. */
  configuration: { 2: "/etc/docker/registry", 3: "/etc/distribution" },
} as const;

const CONTAINER_PORT = 5000;
const DEBUG_ADDRESS = "127.0.0.1:5001";
const STORAGE_SETTINGS = new Set(["delete", "redirect", "cache", "tag", "maintenance"]);

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function overlay(base: Section, over: Section): Section {
  const merged: Section = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isSection(below) && isSection(value) ? overlay(below, value) : value;
  }
  return merged;
}

/** The storage driver the overlay names, or undefined when the images stay on this host's file system. */
export function foreignStorageDriver(config: Config): string | undefined {
  const storage = config.registry.storage;
  if (!isSection(storage)) return undefined;
  return Object.keys(storage).find((key) => !STORAGE_SETTINGS.has(key) && key !== "filesystem");
}

function managed(config: Config, httpSecret: Secret): Section {
  const driver = foreignStorageDriver(config);
  return {
    version: 0.1,
    log: { level: "info", formatter: "text", accesslog: { disabled: false } },
    storage: {
      ...(driver === undefined ? { filesystem: { rootdirectory: CONTAINER_PATHS.data } } : {}),
      delete: { enabled: true },
      maintenance: {
        uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
        readonly: { enabled: false },
      },
    },
    http: {
      addr: `:${CONTAINER_PORT}`,
      secret: httpSecret.reveal(),
      draintimeout: `${DRAIN_SECONDS}s`,
      headers: { "X-Content-Type-Options": ["nosniff"] },
      debug: { addr: DEBUG_ADDRESS },
      ...(config.tls.mode === "none"
        ? {}
        : {
            tls: {
              certificate: `${CONTAINER_PATHS.certificates}/domain.crt`,
              key: `${CONTAINER_PATHS.certificates}/domain.key`,
              minimumtls: "tls1.2",
              ...clientCertificates(config),
            },
          }),
    },
    ...(config.auth.mode === "htpasswd"
      ? { auth: { htpasswd: { realm: config.auth.realm, path: `${CONTAINER_PATHS.auth}/htpasswd` } } }
      : {}),
    health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
  };
}

/** 2.x requires a certificate as soon as it has authorities for them; 3.x is told what it has to require. */
function clientCertificates({ tls, major }: Config): Section {
  if (tls.clientAuth === "off") return {};
  const modes = { required: "require-and-verify-client-cert", optional: "verify-client-cert-if-given" };
  return {
    clientcas: [`${CONTAINER_PATHS.certificates}/client-ca.crt`],
    ...(major === 3 ? { clientauth: modes[tls.clientAuth] } : {}),
  };
}

/** The whole of config.yml as an object: what regctl sets, under the user's `registry:` section. */
export function registryConfig(config: Config, httpSecret: Secret): Section {
  return overlay(managed(config, httpSecret), config.registry);
}

function portOf(address: unknown, otherwise: number): number {
  const port = Number(String(address).split(":").at(-1));
  return Number.isInteger(port) && port > 0 ? port : otherwise;
}

/** The port the registry listens on inside its container. */
export function containerPort(rendered: Section): number {
  return portOf((rendered.http as Section).addr, CONTAINER_PORT);
}

/** Health is asked on the debug port: it answers without TLS, password or client certificate, and is never published. */
export function healthUrl(rendered: Section): string {
  const debug = (rendered.http as Section).debug as Section;
  return `http://127.0.0.1:${portOf(debug.addr, 5001)}/debug/health`;
}

function httpOverlay(config: Config): Section {
  return isSection(config.registry.http) ? config.registry.http : {};
}

/** distribution's http.prefix: where the API begins. */
export function httpPrefix(config: Config): string {
  const { prefix } = httpOverlay(config);
  return typeof prefix === "string" ? prefix : "/";
}

/** Clients have to show a certificate of an authority that `registry:` names (http.tls.clientcas); regctl has none of it. */
export function hasClientAuthorities(config: Config): boolean {
  const { tls } = httpOverlay(config);
  return isSection(tls) && Array.isArray(tls.clientcas) && tls.clientcas.length > 0;
}
