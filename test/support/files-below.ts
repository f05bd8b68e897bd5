import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Every file below a folder, by its relative path, with its text. */
export async function filesBelow(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(
    paths.sort().map(async (path) => [path.slice(folder.length + 1), await readFile(path, "latin1")] as const),
  );
  return Object.fromEntries(texts);
}
