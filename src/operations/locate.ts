/** Which deployment a command means: --dir, REGCTL_DIR, regctl.yaml here or above, the only one on the engine. */
import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { RegctlError } from "../errors.ts";
import { exists } from "../project/files.ts";
import { CONFIG_FILE } from "../project/paths.ts";
import type { OperationPorts } from "./ports.ts";

async function above(ports: OperationPorts): Promise<string | undefined> {
  for (let directory = ports.workingDirectory; ; directory = dirname(directory)) {
    if (await exists(join(directory, CONFIG_FILE))) return trusted(ports, directory);
    if (directory === dirname(directory)) return undefined;
  }
}

/** A folder nobody named could have been put there by anybody; git asks the same of a repository (safe.directory). */
async function trusted(ports: OperationPorts, directory: string): Promise<string> {
  const owners = await Promise.all([directory, join(directory, CONFIG_FILE)].map((path) => stat(path)));
  const foreign = owners.find(({ uid }) => uid !== 0 && uid !== ports.userId);
  if (foreign === undefined) return realpath(directory);
  throw new RegctlError("no-deployment", `${join(directory, CONFIG_FILE)} belongs to uid ${foreign.uid}, not to you`, {
    hint: `to use it all the same: regctl --dir ${directory} …`,
  });
}

async function named(ports: OperationPorts, directory: string, source: string): Promise<string> {
  const absolute = resolve(ports.workingDirectory, directory);
  // The folder's own path: containers are labelled with it, whichever link led here.
  if (await exists(join(absolute, CONFIG_FILE))) return realpath(absolute);
  throw new RegctlError("no-deployment", `there is no ${CONFIG_FILE} in ${absolute} (from ${source})`, {
    hint: `regctl init ${directory}`,
  });
}

async function onlyOneOnEngine(ports: OperationPorts): Promise<string> {
  const none = (why: string, hint: string) =>
    new RegctlError("no-deployment", `no ${CONFIG_FILE} in ${ports.workingDirectory} or above it, and ${why}`, {
      hint,
    });
  const engine = await ports.engine().catch((error: unknown) => {
    if (error instanceof RegctlError && error.code !== "interrupted")
      throw none(
        `the engine cannot be asked (${error.message})`,
        "pass --dir DIR, or make a deployment with `regctl init`",
      );
    throw error;
  });
  const { listDeployments } = await import("../deployment/observed.ts");
  const found = (await listDeployments(engine, { signal: ports.signal })).filter(
    (deployment) => deployment.directory !== "",
  );
  const [only] = found;
  if (only === undefined)
    throw none("no running deployment on this engine", "pass --dir FOLDER, or make one with `regctl init`");
  if (found.length > 1) {
    throw new RegctlError("no-deployment", `which deployment? This engine has ${found.length}`, {
      issues: found.map((deployment) => ({ path: deployment.name, message: deployment.directory })),
      hint: `regctl --dir ${only.directory} …`,
    });
  }
  return trusted(ports, await named(ports, only.directory, `the engine's deployment ${only.name}`));
}

/** As `locateDeployment`; undefined when no folder was named and there is no deployment at all. */
export async function locateAnyDeployment(ports: OperationPorts, dir: string | undefined): Promise<string | undefined> {
  const isNamed = dir !== undefined || (ports.environment.REGCTL_DIR ?? "") !== "";
  return locateDeployment(ports, dir).catch((error: unknown) => {
    const isNone = error instanceof RegctlError && error.code === "no-deployment" && error.issues.length === 0;
    if (isNone && !isNamed) return undefined;
    throw error;
  });
}

/** Absolute folder of the deployment; `no-deployment` with what to do when none, or several, are meant. */
export async function locateDeployment(ports: OperationPorts, dir: string | undefined): Promise<string> {
  if (dir !== undefined) return named(ports, dir, "--dir");
  const fromEnvironment = ports.environment.REGCTL_DIR ?? "";
  if (fromEnvironment !== "") return named(ports, fromEnvironment, "REGCTL_DIR");
  return (await above(ports)) ?? onlyOneOnEngine(ports);
}
