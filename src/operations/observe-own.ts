import { join } from "node:path";
import { DIRECTORY_LABEL } from "../deployment/labels.ts";
import { type ObservedState, observe } from "../deployment/observed.ts";
import type { Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { exists } from "../project/files.ts";
import { CONFIG_FILE } from "../project/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

/**
 * What runs of this deployment. Refuses (`conflict`) containers of the same name that belong to another folder, so that
 * no command ever replaces or removes somebody else's registry; a folder that was moved takes its containers along.
 */
export async function observeOwn(
  ports: Pick<OperationPorts, "signal">,
  engine: Engine,
  deployment: Deployment,
): Promise<ObservedState> {
  const { config, directory } = deployment;
  const observed = await observe(engine, config.name, config.image, { signal: ports.signal });
  for (const container of observed.containers) {
    const other = container.labels[DIRECTORY_LABEL] ?? directory;
    if (other === directory || !(await exists(join(other, CONFIG_FILE)))) continue;
    throw new RegctlError("conflict", `this engine already has a deployment called ${config.name}, in ${other}`, {
      hint: "set another name: in regctl.yaml",
    });
  }
  return observed;
}
