/** The one translation from what dockerode, Node and the engine throw to RegctlError. */
import { type ErrorCode, messageOf, RegctlError, type RegctlErrorOptions, systemCodeOf } from "../errors.ts";

export interface FailureContext {
  /** What was being done, after "cannot": `start container acme-registry`. */
  readonly doing: string;
  readonly signal?: AbortSignal | undefined;
}

/** What the engine answered, without dockerode's decoration; dockerode's `reason` is often wrong and is ignored. */
export function engineTextOf(error: unknown): string {
  const json = (error as { json?: unknown } | null)?.json;
  if (typeof json === "object" && json !== null && "message" in json && typeof json.message === "string") {
    return json.message.trim();
  }
  const text = messageOf(error).replace(/^\(HTTP code \d+\) [^-]*- /, "");
  return text.trim().slice(0, 2000);
}

/** The HTTP status of a refused request; undefined when no answer came. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === "number" ? status : undefined;
}

/** The engine has no status for a taken host port: it answers 500 at start. */
export function isPortConflict(text: string): boolean {
  return /port is already allocated|address already in use/.test(text);
}

/** The failure as a RegctlError; one that is a RegctlError already stays as it is. */
export function translateFailure(error: unknown, context: FailureContext): RegctlError {
  if (error instanceof RegctlError) return error;
  if (context.signal?.aborted) return interruption(context);
  const text = engineTextOf(error);
  const because = (code: ErrorCode, options: RegctlErrorOptions = {}) =>
    new RegctlError(code, `cannot ${context.doing}: ${text}`, { cause: error, ...options });
  const status = statusOf(error);
  if (isDiskFull(text))
    return because("disk-full", { hint: "free space where the engine stores its data: docker system df" });
  if (status !== undefined) return because(codeOfStatus(status), { details: { status } });
  const connection = connectionFailure(error);
  if (connection === undefined) return because("engine-failed");
  return because(connection.code, { hint: connection.hint });
}

/** The RegctlError of an aborted signal: its reason when that is one, else `interrupted`. */
export function interruption(context: FailureContext): RegctlError {
  const reason: unknown = context.signal?.reason;
  if (reason instanceof RegctlError) return reason;
  return new RegctlError("interrupted", `interrupted: ${context.doing}`, { cause: reason });
}

function isDiskFull(text: string): boolean {
  return text.includes("no space left on device");
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 404) return "not-found";
  if (status === 409) return "conflict";
  if (status === 401 || status === 403) return "engine-denied";
  return "engine-failed";
}

const START_ENGINE =
  "start it: `systemctl start docker` (without systemd, as root: `dockerd >/var/log/dockerd.log 2>&1 &`)";

/** Why no answer came, and the way out. */
export interface ConnectionFailure {
  readonly code: "engine-unreachable" | "engine-denied";
  readonly why: string;
  readonly hint: string;
}

const CONNECTION_FAILURES: Readonly<Record<string, ConnectionFailure>> = {
  ENOENT: {
    code: "engine-unreachable",
    why: "the socket does not exist",
    hint: `${START_ENGINE}; not installed yet: \`regctl init --install-engine\``,
  },
  ECONNREFUSED: {
    code: "engine-unreachable",
    why: "connection refused",
    hint: `the engine is not running: ${START_ENGINE}`,
  },
  EACCES: {
    code: "engine-denied",
    why: "this user may not use the socket",
    hint: "run regctl with sudo, or join the group (`sudo usermod -aG docker $USER`) and log in again",
  },
  ENOTFOUND: {
    code: "engine-unreachable",
    why: "the host name does not resolve",
    hint: "correct DOCKER_HOST or the docker context (`docker context ls`)",
  },
  ETIMEDOUT: {
    code: "engine-unreachable",
    why: "no answer in time",
    hint: "check that the engine answers: docker version",
  },
  ECONNRESET: {
    code: "engine-unreachable",
    why: "the connection was closed",
    hint: "check that the engine is up (`docker version`) and that DOCKER_TLS_VERIFY fits its port",
  },
};

const SAME_AS: Readonly<Record<string, string>> = {
  EPERM: "EACCES",
  ENOTDIR: "ENOENT",
  ENOTSOCK: "ECONNREFUSED",
  EAI_AGAIN: "ENOTFOUND",
  EHOSTUNREACH: "ETIMEDOUT",
  ENETUNREACH: "ETIMEDOUT",
  EPIPE: "ECONNRESET",
  EPROTO: "ECONNRESET",
};

/** Undefined when the error is not about the connection. */
export function connectionFailure(error: unknown): ConnectionFailure | undefined {
  const code = systemCodeOf(error);
  if (code === undefined) return undefined;
  const known = CONNECTION_FAILURES[SAME_AS[code] ?? code];
  if (known !== undefined) return known;
  // Node names a refused certificate after OpenSSL's verify error, and TLS's own failures ERR_TLS_… or ERR_SSL_…
  if (!/CERT|SIGNED|SIGNATURE|^ERR_(TLS|SSL|OSSL)/.test(code)) return undefined;
  return {
    code: "engine-unreachable",
    why: `TLS: ${messageOf(error)}`,
    hint: "point DOCKER_CERT_PATH to the folder with the engine's ca.pem, cert.pem and key.pem",
  };
}

export const PULL_FAILURES = ["network", "unauthorized", "not-found", "tls", "rate-limit", "other"] as const;
export type PullFailure = (typeof PULL_FAILURES)[number];

/**
 * An engine reports every failed pull as one text, with a status (404, 500) that does not tell the cause, so the text
 * is all there is. First match wins; the texts are those of the engine, of Go's net and crypto/x509, of the registries.
 */
const PULL_TEXTS: readonly (readonly [PullFailure, RegExp])[] = [
  ["rate-limit", /toomanyrequests|too many requests|rate limit/i],
  ["tls", /x509:|certificate|server gave HTTP response to HTTPS client|remote error: tls|tls: (?!.*timeout)/i],
  [
    "not-found",
    /manifest unknown|manifest for .* not found|name unknown|repository .* not found|does not exist|404 Not Found/i,
  ],
  [
    "unauthorized",
    /no basic auth credentials|unauthorized|authentication required|denied|authorization failed|401|403 Forbidden/i,
  ],
  [
    "network",
    /no such host|dial tcp|connection refused|connection reset|network is unreachable|no route to host|i\/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout|request canceled|server misbehaving|proxyconnect|unexpected EOF|\bEOF$|bad gateway|service unavailable|gateway timeout/i,
  ],
];

/** Why a pull failed, from the engine's text. */
export function classifyPullFailure(text: string): PullFailure {
  return PULL_TEXTS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}

/** A failed pull as `image-unavailable` with `details.reason`; what is not the registry's doing as translateFailure says. */
export function translatePullFailure(error: unknown, reference: string, signal: AbortSignal | undefined): RegctlError {
  const doing = `pull ${reference}`;
  const general = translateFailure(error, { doing, signal });
  const isEngineAnswer = ["engine-failed", "not-found", "conflict", "engine-denied"].includes(general.code);
  if (!isEngineAnswer || (general.code === "engine-denied" && statusOf(error) === undefined)) return general;
  const text = engineTextOf(error);
  const reason = classifyPullFailure(text);
  return new RegctlError("image-unavailable", `cannot ${doing}: ${text}`, {
    hint: pullHint(reason, registryOf(reference)),
    details: { reference, reason },
    cause: error,
  });
}

function pullHint(reason: PullFailure, registry: string): string {
  switch (reason) {
    case "network":
      return `check that this host reaches ${registry}; without it: \`regctl images build\`, or \`regctl images load\` an archive`;
    case "unauthorized":
      return `log in with \`docker login ${registry}\` and try again`;
    case "not-found":
      return `check the name and the tag; if the repository is private: \`docker login ${registry}\``;
    case "tls":
      return `place the registry's CA at /etc/docker/certs.d/${registry}/ca.crt on the engine's host`;
    case "rate-limit":
      return `log in with \`docker login ${registry}\` for a higher limit, or try again later`;
    case "other":
      return `try it with \`docker pull\`; without the registry: \`regctl images build\``;
  }
}

/** The registry's host in a reference, by Docker's rule: the first component counts if it looks like a host. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (first === "localhost" || /[.:]/.test(first));
  return isHost ? first : "docker.io";
}
