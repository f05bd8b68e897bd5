/** The last resort: an engine of this machine that does not check this registry's certificate. Written on request only. */
import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { certificateHosts } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { type EngineProcess, engineProcess } from "../host/engine-process.ts";
import { lastLines } from "../last-lines.ts";
import { fileError, readIfExists, syncDirectory, writeNewFile } from "../project/files.ts";
import { INSECURE_EXPLANATION, withInsecure, withoutInsecure } from "../trust/insecure.ts";
import { loadDeployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

const DAEMON_FILE = "/etc/docker/daemon.json";

/** What it means, for people. */
export function explainInsecure(): string {
  return INSECURE_EXPLANATION;
}

export interface InsecureChange {
  readonly file: string;
  /** Registries that came, or went; empty = it was so already. */
  readonly registries: readonly string[];
  /** Whether an engine was told; false = it will read the file when it starts. */
  readonly reloaded: boolean;
}

/** A list on the command line and one in the file: the engine refuses to start with both, and to read the file. */
function requireNoFlag(engine: EngineProcess | undefined): void {
  if (engine === undefined) return;
  if (engine.configurationFile !== undefined)
    throw new RegctlError(
      "precondition-failed",
      "this engine was started with --config-file: it does not read /etc/docker/daemon.json",
      {
        hint: "add the registry to insecure-registries in that file, then: kill -HUP $(cat /run/docker.pid)",
      },
    );
  if (!engine.options.some((word) => word.startsWith("--insecure-registry"))) return;
  throw new RegctlError(
    "precondition-failed",
    "this engine was started with --insecure-registry: it would not start with a list in daemon.json as well",
    {
      hint: "edit how dockerd is started (systemctl edit docker), or move that list into /etc/docker/daemon.json",
    },
  );
}

async function writeDaemonFile(text: string): Promise<void> {
  const staged = `${DAEMON_FILE}.regctl-new`;
  try {
    const before = await stat(DAEMON_FILE).catch(() => undefined);
    await rm(staged, { force: true });
    await writeNewFile(staged, {
      content: text,
      mode: before === undefined ? 0o644 : before.mode & 0o7777,
      owner: before === undefined ? undefined : { uid: before.uid, gid: before.gid },
    });
    await rename(staged, DAEMON_FILE);
    await syncDirectory(dirname(DAEMON_FILE));
  } catch (error) {
    await rm(staged, { force: true }).catch(() => undefined);
    throw fileError(error, `write ${DAEMON_FILE}`);
  }
}

/** Names of the deployment as the engine compares them: with the port unless it is the standard one. */
async function registryNames(directory: string): Promise<string[]> {
  const { config } = await loadDeployment(directory);
  const { normalizeHosts } = await import("../pki/san.ts");
  const hosts = certificateHosts(config).flatMap((host) => normalizeHosts([host]).map(({ value }) => value));
  const standard = config.tls.mode === "none" ? 80 : 443;
  return hosts
    .filter((host) => !host.startsWith("*."))
    .map((host) => (host.includes(":") ? `[${host}]` : host))
    .map((host) => (config.port === standard ? host : `${host}:${config.port}`));
}

/** Adds or removes the deployment's names and has the engine read the file. The caller holds the lock. */
export async function changeInsecure(
  ports: OperationPorts,
  directory: string,
  action: "install" | "remove",
): Promise<InsecureChange> {
  if (!ports.isRoot)
    throw new RegctlError("permission-denied", `only root may change ${DAEMON_FILE}`, {
      hint: "run the same command with sudo",
    });
  const registries = await registryNames(directory);
  const engine = await engineProcess();
  requireNoFlag(engine);
  const before = (await readIfExists(DAEMON_FILE)) ?? "";
  const edit = (action === "install" ? withInsecure : withoutInsecure)(before, registries);
  if (edit.text !== undefined) await writeDaemonFile(edit.text);
  // Also when nothing had to be written: a run that was killed after the write told nobody.
  if (engine === undefined) return { file: DAEMON_FILE, registries: edit.changed, reloaded: false };
  const { exitCode, stderr } = await ports.run("kill", ["-HUP", String(engine.pid)], { signal: ports.signal });
  if (exitCode === 0) return { file: DAEMON_FILE, registries: edit.changed, reloaded: true };
  throw new RegctlError("operation-failed", "the engine could not be told to read daemon.json", {
    issues: lastLines(stderr, 3).map((message) => ({ path: "kill", message })),
    hint: `kill -HUP ${engine.pid}`,
  });
}
