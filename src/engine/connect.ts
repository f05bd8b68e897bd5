import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { inspect } from "node:util";
import type Docker from "dockerode";
import { RegctlError } from "../errors.ts";
import { negotiateApiVersion } from "./api-version.ts";
import { dockerEngine } from "./docker-engine.ts";
import { type Endpoint, resolveEndpoint, type TcpEndpoint } from "./endpoint.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import { connectionFailure, engineTextOf, interruption, statusOf } from "./errors.ts";
import { isThisHost } from "./locality.ts";
import { abortable } from "./requests.ts";

/** An engine that systemd starts on demand answers its first request after it has started. */
const PROBE_TIMEOUT_MS = 30_000;

export interface ProbeOptions {
  readonly probeTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions extends ProbeOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly homeDirectory: string;
  /** Before all other places: `unix:///…` or `tcp://…`. */
  readonly host?: string | undefined;
}

/**
 * Finds the engine as docker's client does and agrees on an API version with it. Rejects with `engine-unreachable`,
 * `engine-denied` or `engine-unsupported` (too old, too new, no Docker Engine, on another host), each attempt reported.
 */
export async function connectEngine(options: ConnectOptions): Promise<Engine> {
  return connectToEndpoint(resolveEndpoint(options.environment, options.homeDirectory, options.host), options);
}

/** The second half of connectEngine: an endpoint with several sockets is the first of them that answers. */
export async function connectToEndpoint(endpoint: Endpoint, options: ProbeOptions = {}): Promise<Engine> {
  if (endpoint.kind === "ssh") throw onAnotherHost(`ssh ${endpoint.destination}`, endpoint);
  if (endpoint.kind === "tcp") await requireThisHost(endpoint);
  const attempts: Attempt[] = [];
  for (const candidate of candidates(endpoint)) {
    const result = await connectTo(candidate, endpoint.origin, options);
    if ("info" in result) return result;
    attempts.push(result);
  }
  throw unreachable(attempts, endpoint.origin);
}

interface Candidate {
  readonly address: string;
  readonly client: Readonly<Record<string, unknown>>;
  readonly agent: HttpAgent;
}

interface Attempt {
  readonly address: string;
  readonly code: "engine-unreachable" | "engine-denied";
  readonly why: string;
  readonly hint: string;
  readonly cause: unknown;
}

function candidates(endpoint: Exclude<Endpoint, { kind: "ssh" }>): Candidate[] {
  if (endpoint.kind === "socket") {
    return endpoint.paths.map((path) => ({
      address: `unix://${path}`,
      client: { socketPath: path, protocol: "http" },
      agent: new HttpAgent(),
    }));
  }
  const { host, port, tls } = endpoint;
  return [
    {
      address: addressOf(endpoint),
      client: { host, port, protocol: tls === undefined ? "http" : "https" },
      agent: tls === undefined ? new HttpAgent() : new HttpsAgent({ ...pem(tls), rejectUnauthorized: tls.verify }),
    },
  ];
}

function pem({ ca, cert, key }: NonNullable<TcpEndpoint["tls"]>) {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function addressOf({ host, port }: TcpEndpoint): string {
  return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function connectTo(candidate: Candidate, origin: string, options: ProbeOptions): Promise<Engine | Attempt> {
  const { address, agent } = candidate;
  const timeout = AbortSignal.timeout(options.probeTimeoutMs ?? PROBE_TIMEOUT_MS);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const close = () => agent.destroy();
  // docker-modem formats every request's options for its debug log, wanted or not; an agent is deep.
  Object.assign(agent, { [inspect.custom]: () => "agent" });
  try {
    const docker = await dockerodeFor(candidate);
    const info = await probe(docker, address, origin, signal);
    Object.assign(docker.modem, { version: `v${info.apiVersion}` });
    return dockerEngine(docker, info, close);
  } catch (error) {
    close();
    if (error instanceof RegctlError) throw error;
    if (options.signal?.aborted) throw interruption({ doing: "connect to the Docker Engine", signal: options.signal });
    return { address, cause: error, ...failureOf(error, timeout.aborted) };
  }
}

/** dockerode takes from the environment whatever it is not given, so it is given everything. */
async function dockerodeFor({ client, agent }: Candidate): Promise<Docker> {
  const unset = {
    socketPath: undefined,
    host: undefined,
    port: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  const { loadDockerode } = await import("./load-dockerode.ts");
  const Dockerode = withoutDebug(loadDockerode);
  return new Dockerode({ ...unset, timeout: undefined, pathPrefix: "/", ...client, agent } as Docker.DockerOptions);
}

/** `debug`, under dockerode, reads DEBUG when it is loaded and would print registry passwords. */
function withoutDebug<T>(work: () => T): T {
  const { DEBUG } = process.env;
  delete process.env.DEBUG;
  try {
    return work();
  } finally {
    if (DEBUG !== undefined) process.env.DEBUG = DEBUG;
  }
}

/** The call as it is; dockerode's types leave out the signal and what a foreign server may leave out. */
interface Questions {
  version(options: { abortSignal?: AbortSignal }): Promise<Partial<Docker.DockerVersion> | undefined>;
}

async function probe(docker: Docker, address: string, origin: string, signal: AbortSignal): Promise<EngineInfo> {
  const version = await (docker as unknown as Questions).version(abortable(signal)).catch((error) => {
    if (statusOf(error) === undefined) throw error;
    throw notAnEngine(address, engineTextOf(error), error);
  });
  if (typeof version?.ApiVersion !== "string") throw notAnEngine(address, "it sent no API version");
  const { ApiVersion: api, MinAPIVersion: oldestApi = api, Version: engineVersion = "unknown" } = version;
  return {
    endpoint: address,
    origin,
    version: engineVersion,
    apiVersion: negotiateApiVersion({ version: engineVersion, api, oldestApi }),
    architecture: version.Arch ?? "",
    isPodman: (version.Components ?? []).some(({ Name }) => Name.includes("Podman")),
  };
}

function notAnEngine(address: string, why: string, cause?: unknown): RegctlError {
  const wantsTls = why.includes("HTTP request to an HTTPS server");
  return new RegctlError("engine-unsupported", `what answers at ${address} is not a Docker Engine: ${why}`, {
    hint: wantsTls
      ? "it wants TLS: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH"
      : "correct DOCKER_HOST or the docker context",
    details: { endpoint: address },
    cause,
  });
}

function failureOf(error: unknown, timedOut: boolean): Omit<Attempt, "address" | "cause"> {
  const known = timedOut ? connectionFailure({ code: "ETIMEDOUT" }) : connectionFailure(error);
  return (
    known ?? {
      code: "engine-unreachable",
      why: engineTextOf(error),
      hint: "check that the engine answers: docker version",
    }
  );
}

/** A socket that exists and may not be used tells more than those that do not exist. */
function unreachable(attempts: readonly Attempt[], origin: string): RegctlError {
  const telling =
    attempts.find(({ code }) => code === "engine-denied") ??
    attempts.find(({ why }) => why === "connection refused") ??
    attempts[0];
  if (telling === undefined) throw new Error("no endpoint to try");
  const { address, code, why, hint, cause } = telling;
  const isDefault = origin === "default socket";
  return new RegctlError(code, `cannot connect to the Docker Engine at ${address}: ${why}`, {
    hint: isDefault ? hint : `${hint}; the address comes from ${origin}`,
    details: { endpoint: address, origin },
    issues: attempts.length > 1 ? attempts.map((attempt) => ({ path: attempt.address, message: attempt.why })) : [],
    cause,
  });
}

async function requireThisHost(endpoint: TcpEndpoint): Promise<void> {
  const address = addressOf(endpoint);
  const isLocal = await isThisHost(endpoint.host).catch((error) => {
    throw unreachable([{ address, cause: error, ...failureOf(error, false) }], endpoint.origin);
  });
  if (!isLocal) throw onAnotherHost(`ssh ${endpoint.host}`, endpoint);
}

function onAnotherHost(ssh: string, endpoint: Endpoint): RegctlError {
  return new RegctlError(
    "engine-unsupported",
    `the Docker Engine of ${endpoint.origin} is on another host: the certificates, users and data its containers mount must be files there`,
    { hint: `run regctl on that host: ${ssh} regctl …`, details: { origin: endpoint.origin } },
  );
}
