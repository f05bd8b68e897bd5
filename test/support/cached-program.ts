/** Programs of Debian packages, unpacked (never installed) once into the folder `test/prepare.sh` uses. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { extractPackage } from "./busybox-image.ts";

const extracted = new Map<string, Promise<string>>();

/** The path of a program that needs nothing of its package but itself. */
export function cachedProgram(packageName: string, file: string): Promise<string> {
  const known = extracted.get(file) ?? extract(packageName, file);
  extracted.set(file, known);
  return known;
}

async function extract(packageName: string, file: string): Promise<string> {
  const parent = process.env.XDG_CACHE_HOME ?? (process.getuid?.() === 0 ? "/var/cache" : join(homedir(), ".cache"));
  const cache = process.env.REGCTL_TEST_CACHE ?? join(parent, "regctl-test");
  const program = join(cache, basename(file));
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "work."));
  try {
    // Another process may do the same: the last one wins, with the same program.
    await rename(await extractPackage(packageName, file, folder), program);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return program;
}
