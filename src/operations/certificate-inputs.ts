/** Files with certificates and keys that were named on the command line. */
import { open } from "node:fs/promises";
import { type Issue, messageOf, RegctlError } from "../errors.ts";

/** The longest chains with the largest keys stay below a tenth of this. */
const MOST_BYTES = 1024 * 1024;

/** One file of the command line: its absolute path and the argument it was given by (`--key`). */
export interface NamedFile {
  readonly path: string;
  readonly argument: string;
}

/** A pipe (`<(pass show key)`) can be read once and has no size; a device never ends. */
async function readAtMost(path: string): Promise<Buffer | undefined> {
  const handle = await open(path, "r");
  try {
    const chunks: Buffer[] = [];
    let total = 0;
    for await (const chunk of handle.createReadStream({ end: MOST_BYTES, autoClose: false })) {
      chunks.push(chunk as Buffer);
      total += (chunk as Buffer).length;
    }
    return total > MOST_BYTES ? undefined : Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

/**
 * Reads every named file, up to 1 MiB each. Throws `input-invalid` with all of those that cannot be read, are folders or
 * are too large to hold certificates.
 */
export async function readCertificateInputs<Name extends string>(
  files: Readonly<Record<Name, NamedFile | undefined>>,
): Promise<Record<Name, Buffer | undefined>> {
  const issues: Issue[] = [];
  const names = Object.keys(files) as Name[];
  const contents = {} as Record<Name, Buffer | undefined>;
  for (const name of names) {
    const file = files[name];
    if (file === undefined) continue;
    const hint = `correct ${file.argument}`;
    try {
      contents[name] = await readAtMost(file.path);
      if (contents[name] !== undefined) continue;
      issues.push({ path: file.path, message: "is larger than 1 MiB, so it is no certificate or key", hint });
    } catch (error) {
      issues.push({ path: file.path, message: `cannot be read: ${messageOf(error)}`, hint });
    }
  }
  const [first] = issues;
  if (first === undefined) return contents;
  const message = issues.length === 1 ? `${first.path} ${first.message}` : `${issues.length} files cannot be used`;
  throw new RegctlError("input-invalid", message, { hint: `${first.hint}; nothing was changed`, issues });
}
