/** Files of the folder replaced under a running registry: one change on disk, one replaced container, all taken back if it fails. */
import type { Change } from "../deployment/plan.ts";
import type { FileChange } from "../project/files.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Deployment } from "./deployment.ts";
import { directories, presentFiles } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { bringUp } from "./up.ts";

export interface Replacement {
  readonly files: readonly FileChange[];
  /** Relative paths; those that are not there do not matter. */
  readonly removals: readonly string[];
}

/**
 * Writes and removes the files, then has what runs agree with them. A registry that does not come up with them is
 * replaced by the one before, with its files as they were. The caller holds the lock and has asked for the engine.
 */
export async function replaceFiles(
  ports: OperationPorts,
  deployment: Deployment,
  { files, removals }: Replacement,
): Promise<readonly Change[]> {
  const { directory, config } = deployment;
  const written = files.map(({ path }) => path);
  const replaced = await presentFiles(ports, directory, [...written, ...removals]);
  const made = written.filter((path) => !replaced.some((file) => file.path === path));
  await commitTransaction(directory, { directories: directories(ports, config), files, removals });
  return bringUp(ports, deployment, { dryRun: false, offline: false, replaced, made });
}
