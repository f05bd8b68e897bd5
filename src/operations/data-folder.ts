/** The folder of the images: what may lie in it, so that nothing of anybody else's is ever given away or removed. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { fileError } from "../project/files.ts";

/** What distribution's file system driver makes in its root folder, and what a file system of its own begins with. */
const STORAGE_ENTRIES: ReadonlySet<string> = new Set(["docker", "scheduler-state.json", "regctl-trash"]);
const HARMLESS_ENTRIES: ReadonlySet<string> = new Set(["lost+found"]);

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    // A file of that name is nobody's storage.
    if (systemCodeOf(error) === "ENOTDIR") return [basename(folder)];
    throw fileError(error, `read ${folder}`);
  }
}

/** A folder called `docker` is a registry's only when nothing but `registry` is in it: the engine's is called so as well. */
async function isStorage(data: string, name: string): Promise<boolean> {
  if (name !== "docker") return STORAGE_ENTRIES.has(name);
  return (await entries(join(data, name))).every((entry) => entry === "registry");
}

/** Entries of the data folder that are a registry's storage. */
export async function storageEntries(data: string): Promise<string[]> {
  const names = await entries(data);
  const verdicts = await Promise.all(names.map((name) => isStorage(data, name)));
  return names.filter((_, index) => verdicts[index]);
}

/** Why a folder cannot be the data folder, or undefined. A missing or empty one can. */
export async function dataFolderProblem(data: string): Promise<string | undefined> {
  const storage = await storageEntries(data);
  const strange = (await entries(data)).filter((name) => !storage.includes(name) && !HARMLESS_ENTRIES.has(name));
  if (strange.length === 0) return undefined;
  const shown = strange.slice(0, 3).join(", ");
  return `${data} holds other things than a registry's images (${shown}${strange.length > 3 ? ", …" : ""})`;
}

/** Before a data folder is mounted, given away or removed. */
export async function requireDataFolder(data: string): Promise<void> {
  const problem = await dataFolderProblem(data);
  if (problem === undefined) return;
  throw new RegctlError("precondition-failed", problem, {
    hint: "give the images a folder of their own: data: in regctl.yaml",
  });
}
