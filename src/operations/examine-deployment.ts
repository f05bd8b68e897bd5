/** The checks that look at a deployment and its host. */
import { type Examined, type RunOptions, runChecks } from "../doctor/run-checks.ts";
import { deploymentFacts } from "./deployment-facts.ts";
import type { OperationPorts } from "./ports.ts";

/** Every check in the order of the table; changes nothing. */
export async function examineDeployment(
  ports: OperationPorts,
  directory: string,
  options: RunOptions,
): Promise<Examined[]> {
  const { deploymentChecks } = await import("../doctor/deployment-checks.ts");
  return runChecks(deploymentChecks, deploymentFacts(ports, directory), options);
}
