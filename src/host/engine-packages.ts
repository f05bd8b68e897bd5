import { access, readFile } from "node:fs/promises";
import { RegctlError } from "../errors.ts";
import { lastLines } from "../last-lines.ts";
import type { RunCommand } from "./command.ts";
import { isDebianLike, type OsRelease } from "./os-release.ts";

export interface InstallEngineOptions {
  readonly run: RunCommand;
  /** The effective user: only root (0) installs. */
  readonly uid: number;
  /** Extra environment of apt: the proxy variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const ENGINE_PACKAGES = ["docker.io", "iptables", "ca-certificates"] as const;
/** From Debian 13 on the client is a package of its own that docker.io only recommends. */
const CLIENT_PACKAGE = "docker-cli";
const APPARMOR_SWITCH = "/sys/module/apparmor/parameters/enabled";
const APPARMOR_PARSERS = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"] as const;

const LOCK_OPTION = ["-o", "DPkg::Lock::Timeout=120"] as const;
const APT_ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "a" } as const;

/**
 * Installs Debian's or Ubuntu's own engine. Nothing is ever removed for it: with docker-ce or podman-docker on the host
 * apt stops, and so does this. A first failure (no or old package lists, an interrupted dpkg) is repaired and tried once
 * more. An abort lets dpkg finish the package it works on.
 *
 * Rejects with RegctlError `permission-denied` (not root), `operation-failed` (apt's last lines and the command),
 * `not-found` (no apt-get), `interrupted`.
 */
export async function installEngine(options: InstallEngineOptions): Promise<void> {
  if (options.uid !== 0) {
    throw new RegctlError("permission-denied", "cannot install the Docker engine: only root can", {
      hint: "run the same command with sudo, or install it: sudo apt-get update && sudo apt-get install docker.io",
    });
  }
  const first = await aptInstall(options);
  if (first.exitCode === 0) return;
  await apt(options, "dpkg", ["--configure", "-a"]);
  const update = await apt(options, "apt-get", [...LOCK_OPTION, "update"]);
  const second = await aptInstall(options);
  if (second.exitCode === 0) return;
  throw installError(second, update.exitCode === 0 ? "" : update.stderr);
}

interface AptResult {
  readonly command: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function aptInstall(options: InstallEngineOptions): Promise<AptResult> {
  const packages: string[] = [...ENGINE_PACKAGES];
  const client = await options.run("apt-cache", ["show", CLIENT_PACKAGE], { signal: options.signal });
  if (client.exitCode === 0 && client.stdout !== "") packages.push(CLIENT_PACKAGE);
  // The kernel confines containers by AppArmor but the profile loader is missing: no container would start.
  if ((await isAppArmorOn()) && !(await existsAny(APPARMOR_PARSERS))) packages.push("apparmor");
  return apt(options, "apt-get", [
    ...LOCK_OPTION,
    "install",
    "-y",
    "--no-install-recommends",
    "--no-remove",
    ...packages,
  ]);
}

async function apt(options: InstallEngineOptions, file: string, args: readonly string[]): Promise<AptResult> {
  const { run, onLine, signal } = options;
  const result = await run(file, args, {
    env: { ...options.env, ...APT_ENVIRONMENT },
    onLine,
    onAbort: "interrupt",
    signal,
  });
  const settings = Object.entries(APT_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return { ...result, command: [...settings, file, ...args].join(" ") };
}

function installError(result: AptResult, updateText: string): RegctlError {
  const lines = [...lastLines(updateText, 4), ...lastLines(result.stderr, 6)];
  return new RegctlError(
    "operation-failed",
    `cannot install the Docker engine: apt-get ended with ${result.exitCode}`,
    {
      issues: (lines.length > 0 ? lines : lastLines(result.stdout, 6)).map((message) => ({ path: "apt-get", message })),
      hint: `mend what apt names, then run the same command again; by hand it is: ${result.command}`,
      details: { command: result.command, exitCode: result.exitCode },
    },
  );
}

/** The commands a person runs on a host where regctl does not install the engine itself, one a line. */
export function manualInstallSteps(os: OsRelease): string[] {
  const start = "sudo systemctl enable --now docker";
  if (isDebianLike(os)) return ["sudo apt-get update", "sudo apt-get install docker.io", start];
  const family = [os.id, ...os.idLike];
  const isLike = (...names: readonly string[]) => names.some((name) => family.includes(name));
  if (os.id === "fedora") return ["sudo dnf install moby-engine", start];
  if (os.id === "amzn") return ["sudo dnf install docker", start];
  if (isLike("rhel", "centos", "fedora")) {
    const repository = os.id === "rhel" ? "rhel" : "centos";
    return [
      "sudo dnf install dnf-plugins-core",
      `sudo dnf config-manager --add-repo https://download.docker.com/linux/${repository}/docker-ce.repo`,
      "sudo dnf install docker-ce docker-ce-cli containerd.io",
      start,
    ];
  }
  if (isLike("suse", "opensuse")) return ["sudo zypper install docker", start];
  if (isLike("alpine"))
    return ["sudo apk add docker", "sudo rc-update add docker default", "sudo service docker start"];
  if (isLike("arch")) return ["sudo pacman -Syu docker", start];
  return ["follow https://docs.docker.com/engine/install/", start];
}

async function isAppArmorOn(): Promise<boolean> {
  return (await readFile(APPARMOR_SWITCH, "utf8").catch(() => "N")).startsWith("Y");
}

async function existsAny(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
