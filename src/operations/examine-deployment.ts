/** The checks that look at a deployment and its host. */
import type { Examined, RunOptions } from "../doctor/run-checks.ts";
import type { OperationPorts } from "./ports.ts";

export async function examineDeployment(
  _ports: OperationPorts,
  _directory: string,
  _options: RunOptions,
): Promise<Examined[]> {
  return [];
}
