import { join } from "node:path";
import { CERTIFICATE_LABEL, DIRECTORY_LABEL } from "../deployment/labels.ts";
import { type ObservedState, observe } from "../deployment/observed.ts";
import type { Engine, ObservedContainer } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { exists, readIfExists } from "../project/files.ts";
import { CONFIG_FILE, FILES } from "../project/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";
import { certificateFingerprint } from "./render.ts";

/**
 * What runs of this deployment, also under a name it had before. Refuses (`conflict`) containers of the same name that
 * belong to another folder, so that no command ever replaces or removes somebody else's registry; a folder that was moved
 * takes its containers along.
 */
export async function observeOwn(
  ports: Pick<OperationPorts, "signal">,
  engine: Engine,
  deployment: Pick<Deployment, "config" | "directory">,
): Promise<ObservedState> {
  const { config, directory } = deployment;
  const observed = await observe(engine, config.name, config.image, { signal: ports.signal, directory });
  for (const container of observed.containers) {
    const other = container.labels[DIRECTORY_LABEL] ?? directory;
    if (other === directory || (await wasMovedHere(container, other, directory))) continue;
    throw new RegctlError("conflict", `this engine already has a deployment called ${config.name}, in ${other}`, {
      hint: `set another name: in regctl.yaml; if ${other} is gone for good: docker rm -f ${container.name}`,
    });
  }
  return observed;
}

/** The other folder is gone, and the container serves the very certificate that lies in this one. */
async function wasMovedHere(container: ObservedContainer, other: string, directory: string): Promise<boolean> {
  if (await exists(join(other, CONFIG_FILE))) return false;
  const certificate = await readIfExists(join(directory, FILES.certificate));
  return certificate !== undefined && container.labels[CERTIFICATE_LABEL] === certificateFingerprint(certificate);
}
