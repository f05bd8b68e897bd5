/** A kit as a file: which one a client needs, and writing it. */
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";
import { fileError } from "../project/files.ts";
import { readTemplate } from "../project/templates.ts";
import type { KitFormat } from "../trust/formats.ts";
import type { TrustSubject } from "../trust/subject.ts";
import { renderShellKit } from "./trust.ts";

export interface MadeKit {
  readonly format: KitFormat;
  readonly fileName: string;
  readonly content: string | Uint8Array;
}

/** Clients that a shell script on the machine cannot serve, and the kit that does. */
const OTHER_FORMATS: Readonly<Record<string, KitFormat>> = { kubernetes: "yaml", k8s: "yaml", windows: "ps1" };

const ENDS: Readonly<Record<KitFormat, string>> = { sh: "sh", ps1: "ps1", yaml: "yaml", tar: "tar" };

async function renderWindows(subject: TrustSubject): Promise<string> {
  const { renderWindowsKit, WINDOWS_PART } = await import("../trust/windows.ts");
  return renderWindowsKit(subject, await readTemplate(`trust/${WINDOWS_PART}`));
}

async function renderCluster(subject: TrustSubject): Promise<string> {
  const { renderKubernetes } = await import("../trust/kubernetes.ts");
  return renderKubernetes(subject);
}

async function renderArchive(subject: TrustSubject): Promise<Uint8Array> {
  const [{ archive }, script, windows, cluster] = await Promise.all([
    import("../trust/tar.ts"),
    renderShellKit(subject),
    renderWindows(subject),
    renderCluster(subject),
  ]);
  const folder = `trust-${subject.id}`;
  return archive([
    { name: `${folder}/kit.sh`, content: script, mode: 0o755 },
    { name: `${folder}/kit.ps1`, content: windows, mode: 0o644 },
    { name: `${folder}/kubernetes.yaml`, content: cluster, mode: 0o644 },
    { name: `${folder}/ca.crt`, content: subject.authorities.map(({ pem }) => pem).join(""), mode: 0o644 },
  ]);
}

/** The format a client needs when none was asked for. */
function formatFor(clients: string | undefined, format: KitFormat | undefined): KitFormat {
  const others = (clients ?? "").split(",").flatMap((name) => OTHER_FORMATS[name] ?? []);
  return format ?? others[0] ?? "sh";
}

/** Renders a kit. With `clients` a shell kit fills these unless it is told otherwise. */
export async function makeKit(
  subject: TrustSubject,
  options: { readonly format?: KitFormat | undefined; readonly clients?: string | undefined },
): Promise<MadeKit> {
  const format = formatFor(options.clients, options.format);
  const render = {
    sh: () => renderShellKit(subject, options.clients),
    ps1: () => renderWindows(subject),
    yaml: () => renderCluster(subject),
    tar: () => renderArchive(subject),
  };
  return { format, fileName: `trust-${subject.id}.${ENDS[format]}`, content: await render[format]() };
}

/** Writes a kit for everybody to read; a folder gets the kit's own name. What exists already is refused. */
export async function writeKit(target: string, fileName: string, content: Uint8Array): Promise<string> {
  const found = await stat(target).catch(() => undefined);
  const file = found?.isDirectory() ? join(target, fileName) : target;
  const mode = file.endsWith(".sh") ? 0o755 : 0o644;
  try {
    await writeFile(file, content, { flag: "wx", mode });
    // The umask may have taken bits away.
    await chmod(file, mode);
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST")
      throw new RegctlError("conflict", `${file} exists already`, { hint: "name another file, or remove it" });
    throw fileError(error, `write ${file}`);
  }
  return file;
}
