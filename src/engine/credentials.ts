/**
 * The credentials `docker login` stored for a registry, found as docker's client finds them
 * (https://docs.docker.com/reference/cli/docker/login/#credential-stores).
 */
import { spawn } from "node:child_process";
import { messageOf, RegctlError, systemCodeOf } from "../errors.ts";
import { Secret } from "../secret.ts";
import {
  type AuthEntry,
  type DockerConfig,
  dockerConfigDirectory,
  parseDockerConfig,
  readDockerConfig,
} from "./docker-config.ts";
import type { RegistryCredentials } from "./engine.ts";

export interface CredentialOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly homeDirectory: string;
  readonly signal?: AbortSignal | undefined;
}

/** Docker Hub's credentials are stored under this name, whatever name a reference has for it. */
const HUB_ADDRESS = "https://index.docker.io/v1/";
const HUB_HOSTS = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);
const HELPER_NAME = /^[A-Za-z0-9._-]+$/;
const HELPER_TIMEOUT_MS = 30_000;
const MAX_ANSWER_CHARACTERS = 1024 * 1024;
/** What every helper answers (docker-credential-helpers, `credentials/error.go`) when it has nothing. */
const NOTHING_STORED = "credentials not found in native keychain";

/**
 * Credentials for a registry (`docker.io`, `registry.example.com:5000`): `DOCKER_AUTH_CONFIG` > `credHelpers` >
 * `credsStore` > `auths`; undefined when none are stored. `config-invalid` when docker's configuration is unreadable,
 * `operation-failed` when its credential helper is missing or fails.
 */
export async function findCredentials(
  registryHost: string,
  { environment, homeDirectory, signal }: CredentialOptions,
): Promise<RegistryCredentials | undefined> {
  const serverAddress = HUB_HOSTS.has(registryHost) ? HUB_ADDRESS : registryHost;
  const given = parseDockerConfig(environment.DOCKER_AUTH_CONFIG ?? "", "DOCKER_AUTH_CONFIG");
  const fromEnvironment = storedCredentials(given, serverAddress);
  if (fromEnvironment !== undefined) return fromEnvironment;
  const config = readDockerConfig(dockerConfigDirectory(environment, homeDirectory));
  const helper = helperFor(config, serverAddress);
  if (helper !== undefined) return askHelper(helper, serverAddress, environment, signal);
  return storedCredentials(config, serverAddress);
}

function helperFor(config: DockerConfig, serverAddress: string): string | undefined {
  const helpers = Object.entries(config.credHelpers ?? {});
  const own = helpers.find(([key]) => isSameServer(key, serverAddress))?.[1];
  const name = (own ?? config.credsStore) || undefined;
  if (name === undefined || HELPER_NAME.test(name)) return name;
  throw new RegctlError(
    "config-invalid",
    `docker's config.json names an impossible credential helper: ${JSON.stringify(name)}`,
    {
      hint: "correct credsStore or credHelpers in config.json",
    },
  );
}

/** Keys are hosts or, from old clients, URLs with a path. */
function isSameServer(key: string, serverAddress: string): boolean {
  const host = (address: string) => address.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  const normal = (address: string) => (HUB_HOSTS.has(host(address)) ? HUB_ADDRESS : host(address));
  return normal(key) === normal(serverAddress);
}

function storedCredentials(config: DockerConfig, serverAddress: string): RegistryCredentials | undefined {
  const entries = Object.entries(config.auths ?? {});
  const exact = entries.find(([key]) => key === serverAddress);
  const entry = (exact ?? entries.find(([key]) => isSameServer(key, serverAddress)))?.[1];
  return entry && toCredentials(entry, serverAddress);
}

function toCredentials(entry: AuthEntry, serverAddress: string): RegistryCredentials | undefined {
  const decoded = Buffer.from(entry.auth ?? "", "base64")
    .toString("utf8")
    .replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  const username = colon < 0 ? (entry.username ?? "") : decoded.slice(0, colon);
  if (entry.identitytoken) {
    return { username, password: new Secret(entry.identitytoken), isIdentityToken: true, serverAddress };
  }
  const password = colon < 0 ? entry.password : decoded.slice(colon + 1);
  if (username === "" || !password) return undefined;
  return { username, password: new Secret(password), isIdentityToken: false, serverAddress };
}

async function askHelper(
  name: string,
  serverAddress: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<RegistryCredentials | undefined> {
  const program = `docker-credential-${name}`;
  const { exitCode, answer } = await runHelper(program, serverAddress, environment, signal);
  if (exitCode !== 0) {
    if (answer.includes(NOTHING_STORED)) return undefined;
    throw helperFailure(program, answer.trim().slice(0, 500) || `exit code ${exitCode}`);
  }
  const { Username: username, Secret: secret } = parseAnswer(program, answer);
  if (!secret) return undefined;
  return { username, password: new Secret(secret), isIdentityToken: username === "<token>", serverAddress };
}

function parseAnswer(program: string, answer: string): { Username: string; Secret: string } {
  try {
    const { Username = "", Secret: secret = "" } = JSON.parse(answer) as { Username?: unknown; Secret?: unknown };
    if (typeof Username === "string" && typeof secret === "string") return { Username, Secret: secret };
  } catch {
    // The message would quote the answer, which holds the secret.
  }
  throw helperFailure(program, "its answer is not the JSON of a credential helper");
}

function runHelper(
  program: string,
  input: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<{ exitCode: number | null; answer: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], {
      env: environment,
      stdio: ["pipe", "pipe", "ignore"],
      timeout: HELPER_TIMEOUT_MS,
      ...(signal && { signal }),
    });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
      if (answer.length > MAX_ANSWER_CHARACTERS) child.kill();
    });
    // A helper that ends without reading its input is judged by its exit code.
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => {
      if (signal?.aborted) return reject(new RegctlError("interrupted", `interrupted: ask ${program}`));
      const why = systemCodeOf(error) === "ENOENT" ? "it is not in PATH" : messageOf(error);
      reject(helperFailure(program, why, error));
    });
    child.on("close", (exitCode) => resolve({ exitCode, answer }));
    child.stdin.end(input);
  });
}

function helperFailure(program: string, why: string, cause?: unknown): RegctlError {
  return new RegctlError("operation-failed", `cannot get the registry's credentials from ${program}: ${why}`, {
    hint: `install ${program}, or remove it from credsStore and credHelpers in docker's config.json`,
    details: { helper: program },
    cause,
  });
}
