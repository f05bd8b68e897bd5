/** Who owns what the containers read and write; only root can change that, and only root's deployments need it. */
import { lchown, lstat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Config } from "../config/config.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { fileError } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { requireDataFolder, storageEntries } from "./data-folder.ts";
import { runtimeOwner } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { withStep } from "./with-step.ts";

const READ_BY_CONTAINERS = ["registry", FILES.registryConfig, "auth", FILES.htpasswd, "certs", FILES.key] as const;

async function isForeign(path: string, uid: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.uid !== uid;
}

/** Paths that belong to somebody else than `user` in regctl.yaml says, the data folder last. */
async function foreignPaths(ports: OperationPorts, directory: string, config: Config): Promise<string[]> {
  const owner = runtimeOwner(ports, config);
  if (owner === undefined) return [];
  const paths = [...READ_BY_CONTAINERS.map((path) => join(directory, path)), config.data];
  const foreign = await Promise.all(paths.map((path) => isForeign(path, owner.uid)));
  return paths.filter((_, index) => foreign[index]);
}

export async function ownershipChanges(ports: OperationPorts, directory: string, config: Config): Promise<Change[]> {
  const because = `does not belong to ${config.user.uid}:${config.user.gid}`;
  const paths = await foreignPaths(ports, directory, config);
  return paths.map((path) => ({ action: "change", kind: "file", name: relative(directory, path), because }));
}

/** Gives them to whom they should belong; everything below the data folder as well. Run twice it does the rest. */
export async function correctOwnership(ports: OperationPorts, directory: string, config: Config): Promise<void> {
  const { uid, gid } = config.user;
  for (const path of await foreignPaths(ports, directory, config)) {
    if (path === config.data) await giveStorage(ports, path, config.user);
    // Never through a link: the folder's owner could have put one there.
    await lchown(path, uid, gid).catch((error: unknown) => {
      throw fileError(error, `give ${path} to ${uid}:${gid}`);
    });
  }
}

/** The folder itself goes last, by the caller, so that an interrupted run is seen as not done. */
async function giveStorage(ports: OperationPorts, data: string, user: Config["user"]): Promise<void> {
  await requireDataFolder(data);
  const owner = `${user.uid}:${user.gid}`;
  const below = (await storageEntries(data)).map((name) => join(data, name));
  if (below.length === 0) return;
  await withStep(ports.progress, `give ${data} to ${owner}`, async () => {
    // chown(1) walks with open folders (openat), so a link swapped in meanwhile leads nowhere.
    const result = await ports.run("chown", ["-R", "-h", "-P", owner, "--", ...below], { signal: ports.signal });
    if (result.exitCode === 0) return { value: undefined };
    throw new RegctlError("operation-failed", `cannot give ${data} to ${owner}: ${result.stderr.trim()}`, {
      hint: "correct what it names, then run `regctl up` again",
    });
  });
}
