/** What lies in a deployment's folder, for who looks at it: reads only, follows no link. */
import type { Stats } from "node:fs";
import { lstat, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { foreignStorageDriver } from "../config/registry-config.ts";
import type { AuditLine, CertificateFileContents, PresentFile } from "../doctor/deployment-facts.ts";
import { systemCodeOf } from "../errors.ts";
import { exists, fileError } from "../project/files.ts";
import { FILES } from "../project/paths.ts";

const FOLDERS = ["certs", "auth", "registry", FILES.state] as const;
/** Of the images only what the registry makes at the top: all of it belongs to one user, or none does. */
const TOP_OF_IMAGES = [
  "docker",
  "docker/registry",
  "docker/registry/v2",
  "docker/registry/v2/blobs",
  "docker/registry/v2/repositories",
] as const;

function kindOf(found: Stats): PresentFile["kind"] {
  if (found.isSymbolicLink()) return "link";
  if (found.isDirectory()) return "folder";
  return found.isFile() ? "file" : "other";
}

async function look(absolutePath: string, path: string): Promise<PresentFile[]> {
  try {
    const found = await lstat(absolutePath);
    const { uid, gid, mode, mtime } = found;
    return [{ path, absolutePath, kind: kindOf(found), mode: mode & 0o7777, uid, gid, modified: mtime }];
  } catch (error) {
    if (isGone(error)) return [];
    throw fileError(error, `look at ${absolutePath}`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw fileError(error, `read ${folder}`);
  }
}

function isGone(error: unknown): boolean {
  return systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR";
}

/** The folder, what is in it and in the folders regctl makes there, and the top of the images; `config` tells where those are. */
export async function presentFiles(directory: string, config: Config | undefined): Promise<PresentFile[]> {
  const below = await Promise.all(
    ["", ...FOLDERS].map(async (folder) =>
      (await namesIn(join(directory, folder))).map((name) => (folder === "" ? name : `${folder}/${name}`)),
    ),
  );
  const isLocal = config !== undefined && foreignStorageDriver(config) === undefined;
  const own = [".", ...below.flat()].map((path) => [join(directory, path), path] as const);
  const images = isLocal
    ? ["", ...TOP_OF_IMAGES].map((path) => [join(config.data, path), join("data", path)] as const)
    : [];
  const known = new Set(images.map(([, path]) => path));
  const found = await Promise.all(
    [...own.filter(([, path]) => !known.has(path)), ...images].map(([at, path]) => look(at, path)),
  );
  return found.flat();
}

async function contentOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw fileError(error, `read ${path}`);
  }
}

export async function certificateContents(directory: string): Promise<CertificateFileContents> {
  const [authority, certificate, key, hasAuthorityKey] = await Promise.all([
    contentOf(join(directory, FILES.authorityCertificate)),
    contentOf(join(directory, FILES.certificate)),
    contentOf(join(directory, FILES.key)),
    exists(join(directory, FILES.authorityKey)),
  ]);
  return { authority, certificate, key, hasAuthorityKey };
}

const LONGEST_AUDIT = 512 * 1024;

async function tailOf(path: string): Promise<string> {
  const handle = await open(path, "r").catch((error: unknown) => {
    if (isGone(error)) return undefined;
    throw fileError(error, `read ${path}`);
  });
  if (handle === undefined) return "";
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, LONGEST_AUDIT);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** `2026-11-29T01:07:42.000Z alice gc --untagged ok`; a line that is none is left out. */
export function parseAudit(text: string): AuditLine[] {
  return text.split("\n").flatMap((line): AuditLine[] => {
    const [, time = "", command = "", outcome = ""] = /^(\S+) (?:uid \d+|\S+) (.*) (\S+)$/.exec(line) ?? [];
    const at = new Date(time);
    return Number.isNaN(at.getTime()) || command === "" ? [] : [{ time: at, command, outcome }];
  });
}

export async function readAudit(directory: string): Promise<AuditLine[]> {
  return parseAudit(await tailOf(join(directory, FILES.audit)));
}
