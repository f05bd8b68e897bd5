/**
 * The programs people use with a registry, each with a configuration folder of its own and no password in any argv.
 * Except for docker (whose engine makes the connections, from this host) they can run in a network namespace.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkNamespace } from "./network-namespace.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { cachedProgram } from "./test-cache.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface ClientOptions {
  /** The authority to trust; undefined = only those the client trusts anyway. */
  readonly caFile?: string | undefined;
  readonly credentials?: Credentials | undefined;
  /** A folder with `client.cert` and `client.key` to show. */
  readonly clientFolder?: string | undefined;
  readonly inside?: NetworkNamespace | undefined;
}

/** What skopeo and podman read from files. */
type FileOptions = Pick<ClientOptions, "caFile" | "credentials" | "clientFolder">;

export interface DockerClient extends AsyncDisposable {
  /** Any docker command line. */
  run(args: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
  login(registry: string, credentials: Credentials): Promise<ProgramResult>;
  logout(registry: string): Promise<ProgramResult>;
  tag(image: string, reference: string): Promise<ProgramResult>;
  push(reference: string): Promise<ProgramResult>;
  pull(reference: string): Promise<ProgramResult>;
  removeImage(reference: string): Promise<ProgramResult>;
}

/** The docker client of this host with a private configuration folder; tags it made are removed when it is disposed. */
export function dockerClient(): DockerClient {
  const configuration = temporaryDirectory("regctl-test-docker-");
  const made = new Set<string>();
  const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
    runProgram("docker", args, {
      ...options,
      env: { DOCKER_CONFIG: configuration.path, HOME: configuration.path, ...options.env },
    });
  return {
    run,
    login: (registry, { user, password }) =>
      run(["login", "--username", user, "--password-stdin", registry], { input: password }),
    logout: (registry) => run(["logout", registry]),
    tag(image, reference) {
      made.add(reference);
      return run(["tag", image, reference]);
    },
    push: (reference) => run(["push", reference]),
    pull(reference) {
      made.add(reference);
      return run(["pull", reference]);
    },
    removeImage: (reference) => run(["image", "rm", reference]),
    async [Symbol.asyncDispose]() {
      for (const reference of made) await run(["image", "rm", reference]);
      await configuration[Symbol.asyncDispose]();
    },
  };
}

export interface SkopeoOptions {
  readonly source?: FileOptions | undefined;
  readonly destination?: FileOptions | undefined;
  readonly inside?: NetworkNamespace | undefined;
  /** How often it tries again by itself. */
  readonly retryTimes?: number | undefined;
}

/** `skopeo copy`; transports as skopeo names them (`docker-archive:FILE`, `dir:FOLDER`, `docker://HOST:PORT/NAME:TAG`). */
export async function skopeoCopy(from: string, to: string, options: SkopeoOptions = {}): Promise<ProgramResult> {
  await using work = temporaryDirectory("regctl-test-skopeo-");
  const source = await skopeoFlags("src-", from, join(work.path, "source"), options.source);
  const destination = await skopeoFlags("dest-", to, join(work.path, "destination"), options.destination);
  const retry = options.retryTimes === undefined ? [] : ["--retry-times", String(options.retryTimes)];
  return await runProgram("skopeo", ["copy", ...retry, ...source, ...destination, from, to], {
    inside: options.inside,
    env: { HOME: work.path },
  });
}

/** Any other skopeo command about one reference (`inspect`, `list-tags`, `delete`), with further flags before it. */
export async function skopeo(
  command: "inspect" | "list-tags" | "delete",
  reference: string,
  options: ClientOptions & { readonly flags?: readonly string[] } = {},
): Promise<ProgramResult> {
  await using work = temporaryDirectory("regctl-test-skopeo-");
  const flags = await skopeoFlags("", reference, work.path, options);
  return await runProgram("skopeo", [command, ...flags, ...(options.flags ?? []), reference], {
    inside: options.inside,
    env: { HOME: work.path },
  });
}

async function skopeoFlags(
  prefix: "src-" | "dest-" | "",
  location: string,
  folder: string,
  options: FileOptions = {},
): Promise<string[]> {
  if (!location.startsWith("docker://")) return [];
  const { authFile, certificates } = await clientFiles(folder, location.slice("docker://".length), options);
  return [`--${prefix}authfile`, authFile, `--${prefix}cert-dir`, certificates];
}

/** `podman pull` into a storage of its own, which is removed again. */
export async function podmanPull(reference: string, options: ClientOptions = {}): Promise<ProgramResult> {
  await using work = temporaryDirectory("regctl-test-podman-");
  const at = (name: string): string => join(work.path, name);
  const { authFile, certificates } = await clientFiles(work.path, reference, options);
  const engine = [
    `conmon_path = [${JSON.stringify(cachedProgram("podman/usr/bin/conmon"))}]`,
    'runtime = "runc"',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "none"',
  ];
  await writeFile(at("containers.conf"), `[engine]\n${engine.join("\n")}\n`);
  const storage = ["--root", at("root"), "--runroot", at("run"), "--tmpdir", at("tmp"), "--storage-driver", "vfs"];
  const pull = ["pull", "--authfile", authFile, "--cert-dir", certificates, reference];
  return await runProgram(cachedProgram("podman/usr/bin/podman"), [...storage, ...pull], {
    inside: options.inside,
    env: {
      HOME: work.path,
      CONTAINERS_CONF: at("containers.conf"),
      LD_LIBRARY_PATH: join(
        cachedProgram("podman/usr/lib"),
        `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
      ),
    },
  });
}

/** The two things skopeo and podman read: an authfile for the reference's registry and a folder with its authority. */
async function clientFiles(
  folder: string,
  reference: string,
  options: FileOptions,
): Promise<{ authFile: string; certificates: string }> {
  const certificates = join(folder, "certificates");
  await mkdir(certificates, { recursive: true });
  if (options.caFile !== undefined) await copyFile(options.caFile, join(certificates, "ca.crt"));
  for (const name of options.clientFolder === undefined ? [] : ["client.cert", "client.key"])
    await copyFile(join(options.clientFolder ?? "", name), join(certificates, name));
  const authFile = join(folder, "auth.json");
  const auths: Record<string, { auth: string }> = {};
  if (options.credentials !== undefined) {
    const { user, password } = options.credentials;
    auths[reference.slice(0, reference.indexOf("/"))] = { auth: Buffer.from(`${user}:${password}`).toString("base64") };
  }
  await writeFile(authFile, JSON.stringify({ auths }), { mode: 0o600 });
  return { authFile, certificates };
}

export interface CurlResult extends ProgramResult {
  /** 0 when there was no answer (then `exitCode` says why: 60 = certificate not trusted, 7 = refused). */
  readonly status: number;
  readonly body: string;
}

export interface CurlOptions extends ClientOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One request. The password travels in a configuration on stdin; no proxy is used. */
export async function curl(url: string, options: CurlOptions = {}): Promise<CurlResult> {
  const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const lines = [
    "silent",
    "show-error",
    'noproxy = "*"',
    "max-time = 30",
    'write-out = "\\n%{http_code}"',
    `url = ${quote(url)}`,
  ];
  const { caFile, credentials, clientFolder, method, headers = {} } = options;
  if (caFile !== undefined) lines.push(`cacert = ${quote(caFile)}`);
  for (const [name, file] of clientFolder === undefined
    ? []
    : ([
        ["cert", "client.cert"],
        ["key", "client.key"],
      ] as const))
    lines.push(`${name} = ${quote(join(clientFolder ?? "", file))}`);
  if (credentials !== undefined) lines.push(`user = ${quote(`${credentials.user}:${credentials.password}`)}`);
  if (method !== undefined) lines.push(method === "HEAD" ? "head" : `request = ${quote(method)}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`header = ${quote(`${name}: ${value}`)}`);
  const input = `${lines.join("\n")}\n`;
  const result = await runProgram("curl", ["--disable", "--config", "-"], { input, inside: options.inside });
  const end = result.stdout.lastIndexOf("\n");
  return { ...result, status: Number(result.stdout.slice(end + 1)), body: result.stdout.slice(0, end) };
}
