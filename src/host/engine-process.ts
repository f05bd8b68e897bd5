/** The Docker Engine that systemd or a person started on this machine, as a process. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunCommand } from "./command.ts";

export interface EngineProcess {
  readonly pid: number;
  /** Its options as it was given them, without its name: `["-H", "fd://"]`. */
  readonly options: readonly string[];
  /** The file of `--config-file`; undefined = it reads the usual one. */
  readonly configurationFile: string | undefined;
}

const PID_FILES = ["run/docker.pid", "var/run/docker.pid"];

/** The value of `--name VALUE` or `--name=VALUE`. */
function givenTo(options: readonly string[], name: string): string | undefined {
  const at = options.findIndex((word) => word === name || word.startsWith(`${name}=`));
  if (at === -1) return undefined;
  return options[at] === name ? options[at + 1] : options[at]?.slice(name.length + 1);
}

/** By the file the engine keeps its process id in; undefined = none, or one of another process. */
export async function engineProcess(root = "/"): Promise<EngineProcess | undefined> {
  const read = (path: string): Promise<string> => readFile(join(root, path), "utf8").catch(() => "");
  for (const file of PID_FILES) {
    const pid = Number((await read(file)) || Number.NaN);
    if (!Number.isInteger(pid) || pid < 2 || (await read(`proc/${pid}/comm`)).trim() !== "dockerd") continue;
    const options = (await read(`proc/${pid}/cmdline`)).split("\0").slice(1, -1);
    return { pid, options, configurationFile: givenTo(options, "--config-file") };
  }
  return undefined;
}

/** Why the installed dockerd would not start with this file; undefined = it would, or it cannot tell (before 23). */
export async function whyNotStarted(
  run: RunCommand,
  configurationFile: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = ["--validate", "--config-file", configurationFile];
  const result = await run("dockerd", args, { signal }).catch(() => undefined);
  const said = result?.stderr.trim().split("\n")[0] ?? "";
  if (result === undefined || result.exitCode === 0 || !said.startsWith("unable to configure the Docker daemon"))
    return undefined;
  return said.slice(said.indexOf(": ") + 2);
}
