/** The machine measured on, and which parts of it a benchmark needs. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, homedir, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cleanEnvironment } from "./measure.js";

export const REPOSITORY = fileURLToPath(new URL("..", import.meta.url));
export const REGCTL = join(REPOSITORY, "bin/regctl");

/** Where `test/prepare.sh` unpacks compose; the same rule as in `test/run.js`. */
export const CACHE =
  process.env.REGCTL_TEST_CACHE ??
  join(
    process.env.XDG_CACHE_HOME ?? (process.getuid() === 0 ? "/var/cache" : join(homedir(), ".cache")),
    "regctl-test",
  );

export const COMPOSE_PLUGIN = join(CACHE, "compose/usr/libexec/docker/cli-plugins/docker-compose");

/** Debian's registry, 2.8.2, as the tests unpack it. */
export const REGISTRY = join(CACHE, "docker-registry");

/** Debian with every client, as the tests make it. */
export const CLIENT_ROOT = join(CACHE, "client-debian-12");

const DROP_CACHES = "/proc/sys/vm/drop_caches";

/** Why the page cache of this machine cannot be emptied; undefined = it can. */
export function coldCacheObstacle() {
  try {
    accessSync(DROP_CACHES, constants.W_OK);
    return undefined;
  } catch {
    return `${DROP_CACHES} to be writable`;
  }
}

/** Empties the page cache and the caches of folders and inodes, of the whole machine. */
export function dropCaches() {
  spawnSync("sync");
  writeFileSync(DROP_CACHES, "3");
}

/** Processor time of a running process, in milliseconds. */
export function processorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** First line a program writes; undefined when it is not there or fails. */
function firstLine(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", env: cleanEnvironment(), timeout: 20_000 });
  return status === 0 ? stdout.trim().split("\n")[0] : undefined;
}

const isInstalled = (program, path = process.env.PATH ?? "") =>
  path.split(":").some((folder) => existsSync(join(folder, program)));

export const engineVersion = () => firstLine("docker", ["version", "--format", "{{.Server.Version}}"]);

const prepare = `run \`test/prepare.sh ${CACHE}\` as root`;

/** Why a part is missing and how to get it; undefined = it is there. */
const NEEDS = {
  engine: () =>
    engineVersion() === undefined ? "a Docker engine that answers: start it, or `regctl init`" : undefined,
  compose: () => (existsSync(COMPOSE_PLUGIN) ? undefined : `docker compose v2: ${prepare}`),
  htpasswd: () => (isInstalled("htpasswd") ? undefined : `htpasswd: ${prepare}`),
  skopeo: () => (isInstalled("skopeo") ? undefined : `skopeo: ${prepare}`),
  curl: () => (isInstalled("curl") ? undefined : `curl: ${prepare}`),
  registry: () => (existsSync(REGISTRY) ? undefined : `Debian's registry in ${REGISTRY}: \`npm test\` puts it there`),
  clients: () => (existsSync(CLIENT_ROOT) ? undefined : `a Debian with clients: ${prepare}`),
  time: () => (isInstalled("time") ? undefined : "GNU time: apt-get install time"),
  root: () => (process.getuid() === 0 ? undefined : "root: it makes namespaces"),
  debootstrap: () => (isInstalled("debootstrap") ? undefined : "debootstrap: apt-get install debootstrap"),
};

/** What of `names` this machine lacks, in words. */
export function missing(names) {
  return names.map((name) => NEEDS[name]()).filter((reason) => reason !== undefined);
}

/** One line about the machine, for the reader of the numbers. */
export function machineFacts() {
  const os = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const [system = "Linux"] = /(?<=^PRETTY_NAME=").*(?="$)/m.exec(os) ?? [];
  const [processor] = cpus();
  const engine = engineVersion();
  return [
    `${cpus().length} × ${processor?.model.trim() ?? "unknown processor"}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system,
    `Node ${process.versions.node}`,
    engine === undefined ? "no engine" : `Docker engine ${engine}`,
    ...(existsSync(COMPOSE_PLUGIN) ? [`compose ${firstLine(COMPOSE_PLUGIN, ["version", "--short"])}`] : []),
    `load ${loadavg()[0].toFixed(1)} at the start`,
  ].join(", ");
}

/** The commit measured, and whether the tree differs from it. */
export function commit() {
  const id = firstLine("git", ["-C", REPOSITORY, "rev-parse", "--short", "HEAD"]);
  if (id === undefined) return "no commit";
  const changed = firstLine("git", ["-C", REPOSITORY, "status", "--porcelain"]);
  return changed === "" ? `commit ${id}` : `commit ${id} with uncommitted changes`;
}
