import { mkdir, statfs } from "node:fs/promises";
import { mustRun } from "./run-program.ts";

export interface SmallDisk extends AsyncDisposable {
  /** From now on not a byte more can be written. */
  fill(): Promise<void>;
  free(): Promise<void>;
  /** Read-only, or not. */
  protect(isReadOnly: boolean): Promise<void>;
}

/** A file system of its own in a folder; filling it costs nothing: its limit is moved to what is used. */
export async function smallDisk(folder: string, megabytes: number): Promise<SmallDisk> {
  await mkdir(folder, { recursive: true });
  await mustRun("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "tmpfs", folder]);
  const remount = (options: string) => mustRun("mount", ["-o", `remount,${options}`, folder]);
  return {
    async fill() {
      const { blocks, bfree, bsize } = await statfs(folder);
      await remount(`size=${(blocks - bfree) * bsize}`);
    },
    async free() {
      await remount(`size=${megabytes}m`);
    },
    async protect(isReadOnly) {
      await remount(isReadOnly ? "ro" : "rw");
    },
    async [Symbol.asyncDispose]() {
      await mustRun("umount", ["--lazy", folder]);
    },
  };
}
