/** What `doctor --fix` does to a deployment: only what an ordinary command does as well, or what takes rights away. */
import { constants, open } from "node:fs/promises";
import type { Mends } from "../doctor/deployment-facts.ts";
import { fileError } from "../project/files.ts";
import { loadDeployment, withLock } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

const COMMAND = "doctor --fix";

/** Never through a link: whoever could write there may have put one. */
async function setMode(path: string, mode: number): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw fileError(error, `change the rights of ${path}`);
    },
  );
  try {
    await handle.chmod(mode);
  } catch (error) {
    throw fileError(error, `change the rights of ${path}`);
  } finally {
    await handle.close();
  }
}

export function deploymentMends(ports: OperationPorts, directory: string): Mends {
  const locked = <T>(work: () => Promise<T>): Promise<T> => withLock(ports, directory, COMMAND, work);
  return {
    up: () =>
      locked(async () => {
        const { bringUp } = await import("./up.ts");
        const changes = await bringUp(ports, await loadDeployment(directory), { dryRun: false, offline: true });
        return changes.length === 0
          ? "nothing was left to do"
          : changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`).join(", ");
      }),
    restart: () =>
      locked(async () => {
        const { restart } = await import("./take-down.ts");
        return `restarted ${(await restart(ports, directory)).join(", ")}`;
      }),
    // Whoever takes the lock finishes what it finds.
    finishInterrupted: () => locked(async () => "finished what was interrupted"),
    async protect(files) {
      // The folder first: as long as others may write to it, no command of root's works in it.
      const folder = files.find(({ absolutePath }) => absolutePath === directory);
      if (folder !== undefined) await setMode(directory, folder.mode);
      const rest = files.filter((file) => file !== folder);
      if (rest.length > 0)
        await locked(async () => {
          for (const { absolutePath, mode } of rest) await setMode(absolutePath, mode);
        });
      return `took rights of others away from ${files.map(({ absolutePath }) => absolutePath).join(", ")}`;
    },
    async removeRepeatedUsers() {
      const { removeRepeatedUsers } = await import("./users.ts");
      return `kept the last line of ${(await removeRepeatedUsers(ports, directory)).join(", ")}`;
    },
  };
}
