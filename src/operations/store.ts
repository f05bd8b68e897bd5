/** The storage a command works on: a deployment's, or a bare folder given with --data; its rights and its lock. */
import { constants } from "node:fs";
import { access, lstat, mkdir, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { RemoveTree } from "../collect/recover.ts";
import { foreignStorageDriver } from "../config/registry-config.ts";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { exists, fileError } from "../project/files.ts";
import { BLOBS, REPOSITORIES, type Store, TRASH } from "../storage/layout.ts";
import { withOwnersRights } from "../storage/owner.ts";
import { createTeam, type Task, type Team } from "../storage/team.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

export interface StoreTarget {
  /** Absolute folder of the storage; undefined when it is not on this host's file system. */
  readonly data: string | undefined;
  /** undefined for a bare folder. */
  readonly deployment: Deployment | undefined;
}

export interface StoreFlags {
  /** --data: a storage folder without a deployment. */
  readonly data?: string;
  /** --dir. */
  readonly dir: string | undefined;
}

/** More threads than cores only help while all of them wait for the disk. */
const MAXIMUM_THREADS = 16;

const V2 = "docker/registry/v2";

/** People give the folder they see blobs in; the storage is the one that was given to the registry. */
async function requireStorage(data: string): Promise<void> {
  const found = await stat(data).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw fileError(error, `look at ${data}`);
  });
  const none = (message: string, hint: string) => new RegctlError("not-found", message, { hint });
  if (found === undefined)
    throw none(`there is no folder ${data}`, "give the folder the registry stores its images in");
  if (!found.isDirectory()) throw none(`${data} is no folder`, "give the folder the registry stores its images in");
  if (
    (await exists(`${data}/${REPOSITORIES}`)) ||
    (await exists(`${data}/${BLOBS}`)) ||
    (await exists(`${data}/${V2}`))
  )
    return;
  for (const above of ["..", "../..", "../../.."]) {
    const candidate = resolve(data, above);
    if (await exists(`${candidate}/${V2}`))
      throw none(`${data} is a part of a registry's storage`, `give its root: --data ${candidate}`);
  }
  throw none(
    `${data} is no registry's storage: there is no ${V2} in it`,
    "give the folder the registry stores its images in",
  );
}

/** Which storage a command means: --data, or that of the deployment. */
export async function locateStore(ports: OperationPorts, flags: StoreFlags): Promise<StoreTarget> {
  if (flags.data !== undefined) {
    if (flags.dir !== undefined)
      throw new RegctlError("usage", "--data is a storage without a deployment, --dir a deployment: give one of them");
    const data = resolve(ports.workingDirectory, flags.data);
    await requireStorage(data);
    return { data, deployment: undefined };
  }
  const [{ loadDeployment }, { locateDeployment }] = await Promise.all([
    import("./deployment.ts"),
    import("./locate.ts"),
  ]);
  const deployment = await loadDeployment(await locateDeployment(ports, flags.dir));
  const isLocal = foreignStorageDriver(deployment.config) === undefined;
  return { data: isLocal ? deployment.config.data : undefined, deployment };
}

/** The storage's folder; what works on files only says so for other drivers. */
export function requireLocal(target: StoreTarget, command: string, instead: string): string {
  if (target.data !== undefined) return target.data;
  const driver = target.deployment === undefined ? "" : foreignStorageDriver(target.deployment.config);
  throw new RegctlError(
    "precondition-failed",
    `${command} works on files, and this registry stores its images in ${driver}`,
    {
      hint: instead,
    },
  );
}

async function requireRights(ports: OperationPorts, data: string): Promise<void> {
  if (ports.isRoot) return;
  const deep = (await exists(`${data}/${V2}`).catch(() => true)) ? `${data}/${V2}` : data;
  const isAllowed = await access(deep, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isAllowed) return;
  const owner = await lstat(data).catch(() => undefined);
  throw new RegctlError(
    "permission-denied",
    `${data} belongs to uid ${owner?.uid ?? "of somebody else"}, and may not be read`,
    {
      hint: "run the command with sudo",
    },
  );
}

/** A folder that is changed has to be writable before the first change. */
async function requireWritable(ports: OperationPorts, data: string): Promise<void> {
  const owner = await lstat(data);
  const mayWrite =
    ports.isRoot ||
    (await access(data, constants.W_OK).then(
      () => true,
      () => false,
    ));
  if (mayWrite) return;
  throw new RegctlError("permission-denied", `${data} belongs to uid ${owner.uid}, and may not be changed`, {
    hint: "run the command with sudo",
  });
}

export interface OpenStore {
  readonly store: Store;
  /** Our own rights, for what is outside of the store. */
  regain<T>(work: () => Promise<T>): Promise<T>;
  /** Threads for a task; ended with the scope. */
  team(task: Task): Team;
  readonly removeTree: RemoveTree;
}

/** Reads a storage: no lock, nothing is written. */
export async function readStore<T>(
  ports: OperationPorts,
  data: string,
  work: (open: OpenStore) => Promise<T>,
): Promise<T> {
  await requireRights(ports, data);
  if (!(await exists(data)))
    throw new RegctlError("not-found", `there is no folder ${data} yet`, { hint: "`regctl up` makes it" });
  return withOwnersRights(data, ports, async ({ root, regain }) => {
    const teams: Team[] = [];
    const open: OpenStore = {
      store: { root, name: data },
      regain,
      team: (task) => {
        const team = createTeam(task, {
          signal: ports.signal,
          maximumThreads: availableParallelism() === 1 ? 1 : MAXIMUM_THREADS,
          ...(root === data ? {} : { withOwnRights: regain }),
        });
        teams.push(team);
        return team;
      },
      removeTree: async (path) => {
        const { runCommand } = await regain(() => import("../host/command.ts"));
        // rm(1) walks with open folders (openat): a link put in its way meanwhile leads nowhere.
        const result = await runCommand("rm", ["-rf", "--one-file-system", "--", path], { signal: ports.signal });
        if (result.exitCode === 0) return;
        throw new RegctlError("operation-failed", `cannot remove ${path}: ${result.stderr.trim()}`, {
          hint: "run the same command again; it goes on where this one stopped",
        });
      },
    };
    try {
      return await work(open);
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error;
      throw fileError(error, `work on ${data}`);
    } finally {
      await Promise.all(teams.map((team) => team.close()));
    }
  });
}

/** Changes a storage: alone, after what killed commands left was taken back or finished; writes the audit line. */
export async function changeStore<T>(
  ports: OperationPorts,
  target: StoreTarget & { readonly data: string },
  command: string,
  work: (open: OpenStore) => Promise<T>,
): Promise<T> {
  await requireRights(ports, target.data);
  await requireWritable(ports, target.data);
  // With the rights of the storage's owner the program's own files may be out of reach.
  const [{ recoverTrash }, { acquireLockFile }, { recordAudit }] = await Promise.all([
    import("../collect/recover.ts"),
    import("../project/lock.ts"),
    import("./deployment.ts"),
  ]);
  return recordAudit(ports, target.deployment?.directory, command, () =>
    readStore(ports, target.data, async (open) => {
      const folder = `${open.store.root}/${TRASH}`;
      const lock = await acquireLockFile(
        `${folder}/lock`,
        target.data,
        {
          command,
          waitMs: ports.timeoutMs,
          signal: ports.signal,
          now: ports.now,
          onWait: (holder) => ports.output.note(`waiting for ${holder}`),
        },
        async () => void (await mkdir(folder, { recursive: true, mode: 0o700 })),
      );
      try {
        const { recovered } = await recoverTrash(open.store, open.removeTree, ports.now());
        if (recovered.length > 0)
          ports.output.note(`took back or finished what was interrupted: ${recovered.join(", ")}`);
        return await work(open);
      } finally {
        await lock.release();
      }
    }),
  );
}
