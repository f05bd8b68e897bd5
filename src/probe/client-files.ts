/** What this machine's clients were told about registries: folders of certificates, docker's settings, variables. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { systemCodeOf } from "../errors.ts";
import { Secret } from "../secret.ts";
import { systemRoots } from "./system-roots.ts";

export interface TrustFile {
  readonly name: string;
  /** Of `*.crt` and `*.pem` files. */
  readonly pem?: string;
}

/** `NAME.cert` and `NAME.key` beside each other: what a client shows a registry that asks. */
export interface TrustPair {
  readonly certificatePath: string;
  readonly keyPath: string;
  /** PEM; undefined = it cannot be read. */
  readonly certificatePem: string | undefined;
  readonly keyPem: Secret | undefined;
}

/** One folder of one client for one spelling of a registry's name. */
export interface TrustFolder {
  readonly client: "docker" | "podman" | "containerd";
  readonly path: string;
  /** `registry.example.com:5000`. */
  readonly name: string;
  readonly files: readonly TrustFile[];
  readonly pairs: readonly TrustPair[];
  /** Text of a hosts.toml, which only containerd reads. */
  readonly hostsToml?: string;
  /** It is there and may not be read. */
  readonly isUnreadable?: boolean;
}

export interface JsonFile {
  readonly path: string;
  /** undefined when it is no JSON object, or may not be read. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
}

export interface VariableFile {
  readonly variable: string;
  readonly path: string;
  /** undefined when it cannot be read. */
  readonly text: string | undefined;
}

export interface ClientFacts {
  readonly folders: readonly TrustFolder[];
  /** docker's daemon.json; absent when there is none. */
  readonly daemon?: JsonFile;
  /** docker's config.json; absent when there is none. */
  readonly login?: JsonFile;
  /** Credential helpers `login` names whose program is not in PATH. */
  readonly missingHelpers: readonly string[];
  /** Proxies in force, without user and password. */
  readonly proxies: Readonly<Record<string, string>>;
  /** Files that variables name as what to trust. */
  readonly trustVariables: readonly VariableFile[];
  /** What runs as `regctl`, first in PATH first; real paths. */
  readonly programs: readonly { readonly path: string; readonly isOurs: boolean }[];
  /** docker, or its daemon, is on this machine. */
  readonly hasDocker: boolean;
  /** PEM: what the system's programs trust by themselves. */
  readonly systemAuthorities: string;
}

export interface ClientPlaces {
  /** `/etc`. */
  readonly etc: string;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
}

const TRUST_VARIABLES = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "GIT_SSL_CAINFO",
];
const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
const LARGEST_FILE = 1024 * 1024;
const MOST_FILES = 200;

/** `names`: every spelling a folder for this registry could have. Never rejects. */
export async function readClientFacts(places: ClientPlaces, names: readonly string[]): Promise<ClientFacts> {
  const { etc, home, environment } = places;
  const settings = environment.XDG_CONFIG_HOME || join(home, ".config");
  const dockerConfig = join(environment.DOCKER_CONFIG || join(home, ".docker"), "config.json");
  const trustRoots = [
    ["docker", join(etc, "docker/certs.d")],
    ["docker", join(settings, "docker/certs.d")],
    ["podman", join(etc, "containers/certs.d")],
    ["podman", join(settings, "containers/certs.d")],
    ["containerd", join(etc, "containerd/certs.d")],
  ] as const;
  const [folders, daemon, login, trustVariables, programs, docker, roots] = await Promise.all([
    Promise.all(trustRoots.flatMap(([client, root]) => names.map((name) => readFolder(client, root, name)))),
    readJson(join(etc, "docker/daemon.json")),
    readJson(dockerConfig),
    readTrustVariables(environment),
    programsNamed("regctl", environment.PATH),
    Promise.all(["docker", "dockerd"].map((name) => programsNamed(name, environment.PATH))),
    systemRoots(),
  ]);
  return {
    folders: folders.filter((folder) => folder !== undefined),
    ...(daemon === undefined ? {} : { daemon }),
    ...(login === undefined ? {} : { login }),
    missingHelpers: await missingHelpers(login, environment.PATH),
    proxies: proxiesOf(environment),
    trustVariables,
    programs: await Promise.all(programs.map(async (program) => ({ path: program, isOurs: await isOurs(program) }))),
    hasDocker: docker.some((found) => found.length > 0),
    systemAuthorities: roots.join("\n"),
  };
}

async function readFolder(client: TrustFolder["client"], root: string, name: string): Promise<TrustFolder | undefined> {
  const path = join(root, name);
  let entries: string[];
  try {
    entries = (await readdir(path)).sort().slice(0, MOST_FILES);
  } catch (error) {
    const isThere = !["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "");
    return isThere ? { client, path, name, files: [], pairs: [], isUnreadable: true } : undefined;
  }
  const files = await Promise.all(
    entries.map(async (entry): Promise<TrustFile> => {
      const pem = /\.(crt|pem)$/.test(entry) ? await readText(join(path, entry)) : undefined;
      return pem === undefined ? { name: entry } : { name: entry, pem };
    }),
  );
  const hostsToml = entries.includes("hosts.toml") ? await readText(join(path, "hosts.toml")) : undefined;
  const pairs = await readPairs(path, entries);
  return { client, path, name, files, pairs, ...(hostsToml === undefined ? {} : { hostsToml }) };
}

async function readPairs(folder: string, entries: readonly string[]): Promise<TrustPair[]> {
  const names = entries.filter((name) => name.endsWith(".cert")).map((name) => name.slice(0, -".cert".length));
  return Promise.all(
    names
      .filter((name) => entries.includes(`${name}.key`))
      .map(async (name) => {
        const [certificatePath, keyPath] = [join(folder, `${name}.cert`), join(folder, `${name}.key`)];
        const [certificatePem, key] = [await readText(certificatePath), await readText(keyPath)];
        return { certificatePath, keyPath, certificatePem, keyPem: key === undefined ? undefined : new Secret(key) };
      }),
  );
}

/** undefined for what is no plain file, is too large, or cannot be read. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() && found.size <= LARGEST_FILE ? await readFile(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

async function readJson(path: string): Promise<JsonFile | undefined> {
  const isThere = await stat(path).catch((error: unknown) => systemCodeOf(error) === "EACCES");
  if (isThere === false) return undefined;
  const text = await readText(path);
  try {
    const value: unknown = JSON.parse(text === undefined ? "" : text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return { path, value: isObject ? (value as Record<string, unknown>) : undefined };
  } catch {
    return { path, value: undefined };
  }
}

async function readTrustVariables(environment: NodeJS.ProcessEnv): Promise<VariableFile[]> {
  const set = TRUST_VARIABLES.flatMap((variable) => {
    const path = environment[variable] ?? "";
    return path === "" ? [] : [{ variable, path }];
  });
  return Promise.all(set.map(async (one) => ({ ...one, text: await readText(one.path) })));
}

function proxiesOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const set = PROXY_VARIABLES.flatMap((upper) => [upper.toLowerCase(), upper]).flatMap((variable) => {
    const value = environment[variable] ?? "";
    return value === "" ? [] : [[variable, value.replace(/\/\/[^/@]*@/, "//")] as const];
  });
  return Object.fromEntries(set);
}

async function programsNamed(name: string, path: string | undefined): Promise<string[]> {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = await Promise.all(folders.map((folder) => realpath(join(folder, name)).catch(() => undefined)));
  return [...new Set(found.filter((program) => program !== undefined))];
}

/** Also another copy or version of this program: what counts is the package it is in. */
async function isOurs(program: string): Promise<boolean> {
  const text = (await readText(join(dirname(program), "../package.json"))) ?? "";
  return /"name"\s*:\s*"@regctl\/cli"/.test(text);
}

async function missingHelpers(login: JsonFile | undefined, path: string | undefined): Promise<string[]> {
  const { credsStore, credHelpers } = (login?.value ?? {}) as { credsStore?: unknown; credHelpers?: unknown };
  const perHost = typeof credHelpers === "object" && credHelpers !== null ? Object.values(credHelpers) : [];
  const named = [...new Set([credsStore, ...perHost])].filter(
    (name): name is string => typeof name === "string" && /^[\w.-]+$/.test(name),
  );
  const found = await Promise.all(named.map((name) => programsNamed(`docker-credential-${name}`, path)));
  return named.filter((_, index) => found[index]?.length === 0);
}
