/** Which deployment a command means: --dir, REGCTL_DIR, regctl.yaml here or above, the only one on the engine. */
import { dirname, join, resolve } from "node:path";
import { RegctlError } from "../errors.ts";
import { exists } from "../project/files.ts";
import { CONFIG_FILE } from "../project/paths.ts";
import type { OperationPorts } from "./ports.ts";

async function above(start: string): Promise<string | undefined> {
  for (let directory = start; ; directory = dirname(directory)) {
    if (await exists(join(directory, CONFIG_FILE))) return directory;
    if (directory === dirname(directory)) return undefined;
  }
}

async function named(ports: OperationPorts, directory: string, source: string): Promise<string> {
  const absolute = resolve(ports.workingDirectory, directory);
  if (await exists(join(absolute, CONFIG_FILE))) return absolute;
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
  return named(ports, only.directory, `the engine's deployment ${only.name}`);
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
  return (await above(ports.workingDirectory)) ?? onlyOneOnEngine(ports);
}
