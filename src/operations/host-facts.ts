/** The parts of a host that decide about a registry: names, networks, the engine's own settings. Reads only. */
import { connect, isIP } from "node:net";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { certificateHosts, hostAndPort } from "../config/config.ts";
import type { DaemonConfiguration, ResolvedName } from "../doctor/deployment-facts.ts";
import type { Engine, EngineInfo } from "../engine/engine.ts";
import type { EngineDetails } from "../engine/inspection.ts";
import { type EngineProcess, engineProcess, whyNotStarted } from "../host/engine-process.ts";
import { resolveName } from "../host/names.ts";
import { hostSchedules, scheduledFolders } from "../host/scheduled-jobs.ts";
import { exists, readIfExists } from "../project/files.ts";
import type { OperationPorts } from "./ports.ts";

const DAEMON_FILE = "/etc/docker/daemon.json";
const SNAP_FOLDER = "/var/snap/docker/";

/** The process of the engine that answers; undefined = another one than this host's own. */
export async function ownEngineProcess({ endpoint, isPodman }: EngineInfo): Promise<EngineProcess | undefined> {
  const isOwn = !isPodman && /^unix:\/\/(\/var)?\/run\/docker\.sock$/.test(endpoint);
  return isOwn ? engineProcess() : undefined;
}

/** The file the engine reads when it starts; asked for most when the engine does not run. */
export async function daemonConfiguration(
  ports: OperationPorts,
  details: EngineDetails | undefined,
  running: EngineProcess | undefined,
): Promise<DaemonConfiguration> {
  const { environment } = ports;
  const rootless = join(environment.XDG_CONFIG_HOME ?? join(environment.HOME ?? "/", ".config"), "docker/daemon.json");
  const isSnap = details?.rootFolder.startsWith(SNAP_FOLDER) === true;
  const path = isSnap
    ? `${SNAP_FOLDER}current/config/daemon.json`
    : details?.isRootless === true
      ? rootless
      : (running?.configurationFile ?? DAEMON_FILE);
  const text = await readIfExists(path);
  return { path, text, refusal: text === undefined ? undefined : await whyNotStarted(ports.run, path, ports.signal) };
}

const ENGINE_WITHIN_MS = 3000;

/** It asks as a client does that has not logged in. */
export async function engineAboutRegistry(engine: Engine, config: Config, signal: AbortSignal): Promise<string> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(ENGINE_WITHIN_MS)]);
  return engine.inspection.registry(hostAndPort(config), { signal: inTime }).catch(() => "");
}

export async function resolvedNames(config: Config): Promise<ResolvedName[]> {
  const names = certificateHosts(config).filter((host) => isIP(host) === 0 && !host.startsWith("*"));
  return Promise.all([...new Set(names)].map((name) => resolveName(name)));
}

const MIRROR_WITHIN_MS = 1000;

function takesConnection(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isOpen: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isOpen);
    };
    const timer = setTimeout(() => end(false), MIRROR_WITHIN_MS);
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}

/** A proxy of the engine's may reach what this program does not; then nothing can be said. */
export async function silentMirrors({ mirrors, httpsProxy, httpProxy }: EngineDetails): Promise<string[]> {
  if (httpsProxy !== "" || httpProxy !== "") return [];
  const asked = await Promise.all(
    mirrors.map(async (mirror) => {
      if (!URL.canParse(mirror)) return mirror;
      const { protocol, hostname, port } = new URL(mirror);
      const isOpen = await takesConnection(
        hostname.replace(/^\[|\]$/g, ""),
        Number(port) || (protocol === "http:" ? 80 : 443),
      );
      return isOpen ? undefined : mirror;
    }),
  );
  return asked.filter((mirror) => mirror !== undefined);
}

/** undefined without systemd: then nobody tells. */
export async function isClockSynchronized(ports: OperationPorts): Promise<boolean | undefined> {
  if (!(await exists("/run/systemd/system"))) return undefined;
  const result = await ports
    .run("timedatectl", ["show", "--property", "NTPSynchronized", "--value"], { signal: ports.signal })
    .catch(() => undefined);
  const said = result?.stdout.trim();
  return said === "yes" ? true : said === "no" ? false : undefined;
}

/** `container_file_t` of `system_u:object_r:container_file_t:s0`; undefined when SELinux is not enforced. */
export async function selinuxType(ports: OperationPorts, path: string): Promise<string | undefined> {
  if ((await readIfExists("/sys/fs/selinux/enforce").catch(() => undefined))?.trim() !== "1") return undefined;
  const { stdout } = await ports.run("stat", ["--format", "%C", "--", path], { signal: ports.signal });
  return stdout.trim().split(":")[2];
}

/** By a job of the host's, or of this user's own crontab. */
export async function isRenewalScheduled(ports: OperationPorts, directory: string): Promise<boolean> {
  if ((await hostSchedules()).includes(directory)) return true;
  const own = await ports.run("crontab", ["-l"], { signal: ports.signal }).catch(() => undefined);
  return own !== undefined && scheduledFolders(own.stdout).includes(directory);
}
