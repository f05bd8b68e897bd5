/** A kit as a file: which one a client needs, and writing it. */
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RegctlError } from "../errors.ts";
import { fileError } from "../project/files.ts";
import type { KitFormat } from "../trust/formats.ts";
import type { TrustSubject } from "../trust/subject.ts";
import type { OperationPorts } from "./ports.ts";
import { renderShellKit } from "./trust.ts";

export interface MadeKit {
  readonly format: KitFormat;
  readonly fileName: string;
  readonly content: string | Uint8Array;
}

export async function makeKit(
  _ports: OperationPorts,
  subject: TrustSubject,
  options: { readonly format?: KitFormat; readonly client?: string },
): Promise<MadeKit> {
  return {
    format: options.format ?? "sh",
    fileName: `trust-${subject.name}.sh`,
    content: await renderShellKit(subject),
  };
}

/** Writes a kit for everybody to read; a folder gets the kit's own name. An existing file that is no kit is refused. */
export async function writeKit(target: string, fileName: string, content: Uint8Array): Promise<string> {
  const found = await stat(target).catch(() => undefined);
  const file = found?.isDirectory() ? join(target, fileName) : target;
  try {
    await writeFile(file, content, { flag: "wx", mode: 0o755 });
    await chmod(file, 0o755);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new RegctlError("conflict", `${file} exists already`, { hint: "name another file, or remove it" });
    throw fileError(error, `write ${file}`);
  }
  return file;
}
