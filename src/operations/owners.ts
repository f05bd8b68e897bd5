/** Modes and owners of everything in a deployment folder, in one place. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { type FileChange, type Owner, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { DirectoryChange } from "../project/transaction.ts";
import type { OperationPorts } from "./ports.ts";

type Who = Pick<OperationPorts, "isRoot">;

/** Who the containers run as has to own what they read; only root can give files away. */
export function runtimeOwner(ports: Who, config: Pick<Config, "user">): Owner | undefined {
  return ports.isRoot ? config.user : undefined;
}

/** A secret the registry reads: its own, and nobody else's to read. */
export function runtimeSecret(ports: Who, config: Pick<Config, "user">, path: string, content: string): FileChange {
  return { path, content, mode: 0o600, owner: runtimeOwner(ports, config) };
}

/** A secret only regctl reads. */
export function ownSecret(path: string, content: string): FileChange {
  return { path, content, mode: 0o600 };
}

export function publicFile(path: string, content: string): FileChange {
  return { path, content, mode: 0o644 };
}

/** A new text for a file of the user's, who may have closed it to others and need not be who runs regctl. */
export async function sameFile(ports: Who, directory: string, path: string, content: string): Promise<FileChange> {
  const { mode, uid, gid } = await stat(join(directory, path));
  return { path, content, mode: mode & 0o777, owner: ports.isRoot ? { uid, gid } : undefined };
}

/** The files as they are now, to put them back; those that are not there are left out. */
export async function presentFiles(ports: Who, directory: string, paths: readonly string[]): Promise<FileChange[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const content = await readIfExists(join(directory, path));
      return content === undefined ? [] : [await sameFile(ports, directory, path, content)];
    }),
  );
  return found.flat();
}

/** The folders of a deployment; those a container mounts belong to who it runs as. */
export function directories(ports: Who, config: Config): DirectoryChange[] {
  const owner = runtimeOwner(ports, config);
  return [
    { path: FILES.state, mode: 0o700 },
    { path: "registry", mode: 0o700, owner },
    { path: "auth", mode: 0o700, owner },
    { path: "certs", mode: 0o700, owner },
    { path: config.data, mode: 0o700, owner },
  ];
}
