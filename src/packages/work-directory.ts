import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../errors.ts";

const NAME = /^assemble-(\d+)-[0-9a-f]+(\.tar)?$/;

export interface WorkPlace {
  /** A fresh folder, 0700. */
  readonly directory: string;
  /** Beside it; not created. */
  readonly archivePath: string;
}

/** A place of its own for one run below `parent`, named after the process so that what a killed run left can be told. */
export async function createWorkPlace(parent: string): Promise<WorkPlace> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await sweep(parent);
  const directory = join(parent, `assemble-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(directory, { mode: 0o700 });
  return { directory, archivePath: `${directory}.tar` };
}

/** What resists (another user's, or a program of the killed run still writes there) is left to a later run. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== "ESRCH";
  }
}
