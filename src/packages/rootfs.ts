import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";
import type { RunCommand } from "../host/command.ts";
import type { DownloadedPackage } from "./download.ts";
import { readElfDependencies } from "./elf.ts";
import type { ImageRecipe, TrustBundle } from "./recipe.ts";
import { mustRunTool } from "./tool.ts";

/**
 * Older releases ship /lib and /bin, newer ones only /usr/lib and /usr/bin: everything goes to /usr, and these are links.
 * Made afterwards, as dpkg-deb replaces a link by the folder its package has.
 */
const USR_MERGED = ["bin", "lib", "lib64", "sbin"] as const;

export interface RootfsOptions {
  readonly run: RunCommand;
  /** Created here. */
  readonly root: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks the packages without installing them (no maintainer script runs), throws away what the recipe does not keep
 * and adds what it asks for. Fails when a shared library is missing. Resolves to the newest file time of the packages
 * that is left, which dates the image.
 */
export async function buildRootfs(
  recipe: ImageRecipe,
  packages: readonly DownloadedPackage[],
  options: RootfsOptions,
): Promise<Date> {
  const { run, root, signal } = options;
  await mkdir(root);
  await chmod(root, 0o755);
  for (const { path } of packages)
    await mustRunTool(run, "dpkg-deb", ["--extract", path, root], { directory: root, signal });

  const bundle = recipe.trust && (await trustBundle(recipe.trust, root));
  await keepOnly(root, recipe.keep);
  const created = await newestFile(root);
  for (const [path, mode] of Object.entries(recipe.directories)) await makeDirectory(root, path, mode);
  for (const [path, text] of Object.entries(recipe.files)) await makeFile(root, path, text);
  for (const [path, target] of Object.entries(recipe.links)) {
    await makeDirectory(root, dirname(path), 0o755);
    await symlink(target, join(root, path));
  }
  if (recipe.trust && bundle !== undefined) await makeFile(root, recipe.trust.target, bundle);
  await checkLibraries(root, recipe.binaries);
  return created;
}

/** Files the packages bring, relative to the root; links count as files. */
async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

async function keepOnly(root: string, keep: readonly RegExp[]): Promise<void> {
  for (const path of await listFiles(root)) {
    const merged = (USR_MERGED as readonly string[]).includes(path.split("/")[0]!) ? join("usr", path) : path;
    if (!keep.some((pattern) => pattern.test(merged))) {
      await rm(join(root, path));
    } else if (merged !== path) {
      await makeDirectory(root, dirname(merged), 0o755);
      await rename(join(root, path), join(root, merged));
    }
  }
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  directories.sort((a, b) => b.length - a.length);
  for (const directory of directories) if ((await readdir(directory)).length === 0) await rmdir(directory);
  for (const name of USR_MERGED) {
    await makeDirectory(root, join("usr", name), 0o755);
    await symlink(join("usr", name), join(root, name));
  }
}

async function newestFile(root: string): Promise<Date> {
  let newest = 0;
  for (const path of await listFiles(root)) {
    const stats = await lstat(join(root, path));
    if (stats.isFile()) newest = Math.max(newest, Math.trunc(stats.mtimeMs / 1000));
  }
  return new Date(newest * 1000);
}

/** The host's bundle holds its own additions, a company's proxy for one; a bare host gets the package's. */
async function trustBundle(trust: TrustBundle, root: string): Promise<string> {
  const host = await readHostBundle(trust);
  if (host !== undefined) return host;
  const directory = join(root, trust.packageDirectory);
  const files = (await readdir(directory)).filter((name) => name.endsWith(".crt")).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), "utf8")));
  return texts.join("");
}

/** undefined when the host has none. */
export async function readHostBundle(trust: TrustBundle): Promise<string | undefined> {
  try {
    return await readFile(trust.hostFile, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Every shared library a program needs, and those they need, must be in the image: it has no other. */
async function checkLibraries(root: string, binaries: readonly string[]): Promise<void> {
  const files = await listFiles(root);
  const libraries = new Map(files.filter((path) => path.startsWith("usr/lib")).map((path) => [basename(path), path]));
  const pending = [...binaries];
  const seen = new Set(pending);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const needs = await readElfDependencies(await realpath(join(root, path)));
    const names = [
      ...(needs?.libraries ?? []),
      ...(needs?.interpreter === undefined ? [] : [basename(needs.interpreter)]),
    ];
    for (const name of names) {
      const library = libraries.get(name);
      if (library === undefined) {
        throw new RegctlError(
          "image-unavailable",
          `cannot assemble the image: ${path} needs ${name}, which none of its packages has`,
          {
            hint: "the distribution has changed its packages: set another image in regctl.yaml, and report this",
          },
        );
      }
      if (!seen.has(library) && !name.startsWith("ld-")) pending.push(library);
      seen.add(library);
    }
  }
}

async function makeDirectory(root: string, path: string, mode: number): Promise<void> {
  if (path === "." || path === "") return;
  await makeDirectory(root, dirname(path), 0o755);
  const full = join(root, path);
  try {
    await mkdir(full);
  } catch (error) {
    if (systemCodeOf(error) !== "EEXIST") throw error;
    return;
  }
  await chmod(full, mode);
}

async function makeFile(root: string, path: string, text: string): Promise<void> {
  await makeDirectory(root, dirname(path), 0o755);
  await writeFile(join(root, path), text);
  await chmod(join(root, path), 0o644);
}
