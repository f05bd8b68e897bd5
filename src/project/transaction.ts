/**
 * Several files changed as one: staged and synced in the journal, committed by one rename, then moved into place.
 * A run killed before the commit changed nothing; one killed after it is finished by the next command that takes the lock.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { type FileChange, fileError, type Owner, syncDirectory, writeNewFile } from "./files.ts";
import { FILES } from "./paths.ts";

export interface DirectoryChange {
  /** Relative to the deployment folder, or absolute. Made when missing; one with something in it keeps its mode and owner. */
  readonly path: string;
  readonly mode: number;
  readonly owner?: Owner | undefined;
}

export interface Transaction {
  readonly directories: readonly DirectoryChange[];
  readonly files: readonly FileChange[];
  /** Relative paths removed after the files are in place. */
  readonly removals?: readonly string[];
}

interface Manifest {
  readonly files: readonly { readonly path: string; readonly staged: string; readonly inPlace?: boolean }[];
  readonly removals: readonly string[];
}

const MANIFEST = "manifest.json";
const UNCOMMITTED = ".tmp";

async function makeDirectory(root: string, change: DirectoryChange): Promise<void> {
  const path = isAbsolute(change.path) ? change.path : join(root, change.path);
  const made = await mkdir(path, { recursive: true, mode: change.mode });
  if (made === undefined) {
    // Made by an earlier, killed attempt of this same transaction: it may lack its owner. Only an empty folder is taken for that.
    if ((await readdir(path)).length > 0) return;
  }
  await chmod(path, change.mode);
  if (change.owner !== undefined) await chown(path, change.owner.uid, change.owner.gid);
}

/** A journal is only ever about files of its own folder. */
function requireInside(path: string): void {
  if (isAbsolute(path) || path.split("/").includes(".."))
    throw new Error(`the journal names ${path}, outside of the folder`);
}

/** Moving into place has to be a rename: everything else could stop half-way, and for good. */
async function requireOneFileSystem(root: string, files: readonly FileChange[]): Promise<void> {
  const own = (await stat(join(root, FILES.journal))).dev;
  for (const folder of new Set(files.map((file) => dirname(join(root, file.path))))) {
    if ((await stat(folder)).dev === own) continue;
    throw new RegctlError("precondition-failed", `${folder} is on another file system than ${root}`, {
      hint: "only the images may be: set data: to the other disk, and keep the rest in one place",
    });
  }
}

async function moveIntoPlace(staged: string, target: string): Promise<void> {
  try {
    await rename(staged, target);
  } catch (error) {
    // Already moved by the run that was killed.
    if (systemCodeOf(error) === "ENOENT" && (await stat(target).catch(() => undefined)) !== undefined) return;
    throw error;
  }
}

/**
 * Repeated from its beginning when it is interrupted: what is staged stays until all is done. Only over a file that is as
 * ours would be; a link, or a file of somebody else's, who could read what is written to it, is replaced.
 */
async function writeOver(staged: string, target: string): Promise<void> {
  const wanted = await stat(staged).catch(() => undefined);
  const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = wanted === undefined ? undefined : await open(target, flags).catch(() => undefined);
  if (wanted === undefined || handle === undefined) return moveIntoPlace(staged, target);
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.nlink !== 1 || found.uid !== wanted.uid) return await moveIntoPlace(staged, target);
    await handle.chmod(wanted.mode & 0o777);
    await handle.truncate();
    const content = await readFile(staged);
    await handle.write(content, 0, content.length, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function finish(root: string, entry: string): Promise<void> {
  const folder = join(root, FILES.journal, entry);
  const manifest = JSON.parse(await readFile(join(folder, MANIFEST), "utf8")) as Manifest;
  for (const path of [...manifest.files.map((file) => file.path), ...manifest.removals]) requireInside(path);
  for (const file of manifest.files) {
    const place = file.inPlace === true ? writeOver : moveIntoPlace;
    await place(join(folder, file.staged), join(root, file.path));
  }
  for (const path of manifest.removals) await rm(join(root, path), { force: true });
  for (const parent of new Set(manifest.files.map((file) => dirname(join(root, file.path)))))
    await syncDirectory(parent);
  // The manifest goes last: a half-removed entry without one was finished.
  await rm(folder, { recursive: true });
}

/** Applies the transaction; all of it or nothing, also when killed. The caller holds the deployment's lock. */
export async function commitTransaction(root: string, transaction: Transaction): Promise<void> {
  const id = randomUUID();
  const uncommitted = join(root, FILES.journal, `${id}${UNCOMMITTED}`);
  try {
    // Before the commit: what cannot be made here must not be owed for ever.
    for (const change of transaction.directories) await makeDirectory(root, change);
    await mkdir(uncommitted, { recursive: true, mode: 0o700 });
    await requireOneFileSystem(root, transaction.files);
    for (const [index, file] of transaction.files.entries()) await writeNewFile(join(uncommitted, String(index)), file);
    const manifest: Manifest = {
      files: transaction.files.map(({ path, inPlace }, index) => ({
        path,
        staged: String(index),
        ...(inPlace === true ? { inPlace } : {}),
      })),
      removals: transaction.removals ?? [],
    };
    await writeNewFile(join(uncommitted, MANIFEST), { content: JSON.stringify(manifest), mode: 0o600 });
    await syncDirectory(uncommitted);
    await rename(uncommitted, join(root, FILES.journal, id));
    await syncDirectory(join(root, FILES.journal));
  } catch (error) {
    await rm(uncommitted, { recursive: true, force: true });
    throw fileError(error, `write to ${root}`);
  }
  try {
    await finish(root, id);
  } catch (error) {
    throw fileError(error, `finish the change in ${root} (the next command goes on with it)`);
  }
}

/** Finishes what a killed command committed and sweeps what it had only begun. The caller holds the lock. */
export async function recoverTransactions(root: string): Promise<{ readonly finished: number }> {
  const journal = join(root, FILES.journal);
  const entries = await readdir(journal).catch(() => [] as string[]);
  let finished = 0;
  for (const entry of entries.sort()) {
    const committed =
      !entry.endsWith(UNCOMMITTED) && (await stat(join(journal, entry, MANIFEST)).catch(() => undefined)) !== undefined;
    try {
      if (committed) {
        await finish(root, entry);
        finished += 1;
      } else await rm(join(journal, entry), { recursive: true, force: true });
    } catch (error) {
      throw fileError(error, `finish an interrupted change in ${root}`);
    }
  }
  return { finished };
}
