/** Where a password comes from: stdin, a file, the terminal, or made up. Never a flag's value: that shows in `ps`. */
import { readFile, stat } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Context } from "../context.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { Secret } from "../secret.ts";

export interface PasswordFlags {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}

/** Exactly one line end goes, also a Windows one: an editor adds it, nobody means it. */
function withoutLineEnd(text: string): Secret {
  return new Secret(text.replace(/\r?\n$/, ""));
}

async function fromFile(context: Context, file: string, what: string): Promise<Secret> {
  const path = context.absolute(file);
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) context.output.warn(`others can read ${file}: chmod 600 ${file}`);
    return withoutLineEnd(await readFile(path, "utf8"));
  } catch (error) {
    throw new RegctlError("input-invalid", `cannot read the ${what} from ${file}: ${messageOf(error)}`, {
      cause: error,
      hint: `correct --${what}-file`,
    });
  }
}

/** From a file, `-` being stdin; `what` names it and its flag: `--passphrase-file` for `passphrase`. */
export async function readGivenSecret(context: Context, file: string, what: string): Promise<Secret> {
  return file === "-" ? withoutLineEnd(await readAll(context.stdin)) : fromFile(context, file, what);
}

/** undefined = one has to be made up. */
export async function readPassword(
  context: Context,
  flags: PasswordFlags,
  question: string,
): Promise<Secret | undefined> {
  if (flags.passwordStdin === true || flags.passwordFile !== undefined)
    return readGivenSecret(context, flags.passwordStdin === true ? "-" : (flags.passwordFile ?? "-"), "password");
  if (!context.prompt.isInteractive || context.options.yes) return undefined;
  const typed = await context.prompt.password({
    message: `${question} (empty: one is made up)`,
    flag: "--password-stdin or --password-file",
    allowEmpty: true,
  });
  return typed.reveal() === "" ? undefined : typed;
}
