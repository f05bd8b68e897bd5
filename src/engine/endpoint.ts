/** Where the engine is, by the rules of docker's own client; dockerode knows neither contexts nor all of the variables. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { RegctlError } from "../errors.ts";
import { dockerConfigDirectory, parseDockerConfig, readDockerConfig, readIfPresent } from "./docker-config.ts";

/** PEM texts, and whether the engine's certificate is verified. */
export interface EngineTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly verify: boolean;
}

interface Origin {
  /** `DOCKER_HOST`, `context desktop-linux`, `default socket`. */
  readonly origin: string;
}

export interface SocketEndpoint extends Origin {
  readonly kind: "socket";
  /** In the order they are tried. */
  readonly paths: readonly string[];
}

export interface TcpEndpoint extends Origin {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
  readonly tls: EngineTls | undefined;
}

export interface SshEndpoint extends Origin {
  readonly kind: "ssh";
  /** What to give to ssh: `-p 2222 user@host`. */
  readonly destination: string;
}

export type Endpoint = SocketEndpoint | TcpEndpoint | SshEndpoint;

const DEFAULT_SOCKET = "/var/run/docker.sock";

/**
 * The endpoint to use: `host` > `DOCKER_HOST` > `DOCKER_CONTEXT` > the current context of docker's config.json > the
 * usual sockets. Reads docker's configuration, connects to nothing. Rejects an unusable address with
 * `engine-unsupported`, a context that does not exist with `engine-unreachable`.
 */
export function resolveEndpoint(environment: NodeJS.ProcessEnv, homeDirectory: string, host?: string): Endpoint {
  const directory = dockerConfigDirectory(environment, homeDirectory);
  if (host) return parseAddress(host, "--host", tlsOfEnvironment(environment, directory));
  if (environment.DOCKER_HOST) {
    return parseAddress(environment.DOCKER_HOST, "DOCKER_HOST", tlsOfEnvironment(environment, directory));
  }
  const context = environment.DOCKER_CONTEXT || readDockerConfig(directory).currentContext;
  if (context && context !== "default") return endpointOfContext(context, directory);
  return { kind: "socket", origin: "default socket", paths: defaultSockets(environment, homeDirectory) };
}

function defaultSockets(environment: NodeJS.ProcessEnv, homeDirectory: string): string[] {
  const sockets = [
    DEFAULT_SOCKET,
    join(homeDirectory, ".docker/run/docker.sock"),
    ...(environment.XDG_RUNTIME_DIR ? [join(environment.XDG_RUNTIME_DIR, "docker.sock")] : []),
    join(homeDirectory, ".docker/desktop/docker.sock"),
    `/run/user/${process.getuid?.() ?? 0}/docker.sock`,
  ];
  return [...new Set(sockets)];
}

function endpointOfContext(name: string, directory: string): Endpoint {
  const origin = `context ${name}`;
  const folder = createHash("sha256").update(name).digest("hex");
  const metaFile = join(directory, "contexts/meta", folder, "meta.json");
  const meta = readIfPresent(metaFile);
  const docker = meta === undefined ? undefined : (parseDockerConfig(meta, metaFile) as ContextMeta).Endpoints?.docker;
  if (!docker?.Host) {
    throw new RegctlError("engine-unreachable", `there is no docker context ${name}`, {
      hint: "choose one of `docker context ls` with `docker context use`, or unset DOCKER_CONTEXT",
      details: { context: name },
    });
  }
  const tls = readTls(join(directory, "contexts/tls", folder, "docker"), docker.SkipTLSVerify !== true);
  const hasTls = tls.ca !== undefined || tls.cert !== undefined;
  return parseAddress(docker.Host, origin, hasTls || docker.SkipTLSVerify ? tls : undefined);
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

/** Docker takes any text for yes, `0` and `false` too. */
function tlsOfEnvironment(environment: NodeJS.ProcessEnv, directory: string): EngineTls | undefined {
  const verify = Boolean(environment.DOCKER_TLS_VERIFY);
  if (!verify && !environment.DOCKER_TLS) return undefined;
  return readTls(environment.DOCKER_CERT_PATH || directory, verify);
}

function readTls(directory: string, verify: boolean): EngineTls {
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => readIfPresent(join(directory, name)));
  return { ca, cert, key, verify };
}

function parseAddress(address: string, origin: string, tls: EngineTls | undefined): Endpoint {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(address.trim()) ?? [];
  if (scheme === "unix") return { kind: "socket", origin, paths: [rest || DEFAULT_SOCKET] };
  const url = scheme === "tcp" || scheme === "ssh" ? parseUrl(`${scheme}://${rest}`) : undefined;
  if (url === undefined || url.hostname === "") {
    throw new RegctlError(
      "engine-unsupported",
      `${origin} is not an address regctl can use: ${withoutPassword(address)}`,
      {
        hint: "give one like unix:///var/run/docker.sock or tcp://127.0.0.1:2375",
      },
    );
  }
  if (scheme === "ssh") return { kind: "ssh", origin, destination: sshDestination(url) };
  const port = url.port === "" ? defaultPort(tls) : Number(url.port);
  return { kind: "tcp", origin, host: url.hostname.replace(/^\[|\]$/g, ""), port, tls };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function defaultPort(tls: EngineTls | undefined): number {
  return tls === undefined ? 2375 : 2376;
}

function sshDestination(url: URL): string {
  const user = url.username === "" ? "" : `${url.username}@`;
  const port = url.port === "" ? "" : `-p ${url.port} `;
  return `${port}${user}${url.hostname}`;
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, "//");
}
