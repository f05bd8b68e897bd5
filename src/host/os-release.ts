import { readFile } from "node:fs/promises";
import { systemCodeOf } from "../errors.ts";

/** The distribution of the host, https://www.freedesktop.org/software/systemd/man/latest/os-release.html. */
export interface OsRelease {
  /** `debian`, `ubuntu`, `fedora`; `linux` when the host does not say. */
  readonly id: string;
  /** What it is derived from, nearest first. */
  readonly idLike: readonly string[];
  /** "" on rolling releases. */
  readonly versionId: string;
  readonly codename: string;
  readonly prettyName: string;
}

/** In the order the specification gives. */
const PATHS = ["/etc/os-release", "/usr/lib/os-release"] as const;

/** Reads the host's os-release; a host without one is plain `linux`. */
export async function readOsRelease(path?: string): Promise<OsRelease> {
  for (const candidate of path === undefined ? PATHS : [path]) {
    try {
      return parseOsRelease(await readFile(candidate, "utf8"));
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
    }
  }
  return parseOsRelease("");
}

/** Lines that are not assignments are ignored, as the specification asks. */
export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match) values.set(match[1]!, unquote(match[2]!));
  }
  const id = values.get("ID") || "linux";
  return {
    id,
    idLike: (values.get("ID_LIKE") ?? "").split(/\s+/).filter((name) => name !== ""),
    versionId: values.get("VERSION_ID") ?? "",
    codename: values.get("VERSION_CODENAME") ?? "",
    prettyName: values.get("PRETTY_NAME") || values.get("NAME") || "Linux",
  };
}

/** True for Debian, Ubuntu and what is built from them. */
export function isDebianLike(os: OsRelease): boolean {
  return [os.id, ...os.idLike].some((name) => name === "debian" || name === "ubuntu");
}

function unquote(value: string): string {
  if (/^'[^']*'$/.test(value)) return value.slice(1, -1);
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? value;
  return inner.replace(/\\(["'$`\\])/g, "$1");
}
