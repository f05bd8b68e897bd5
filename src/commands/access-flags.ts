/** Flags of the verbs that look at images: which storage or registry, and as whom. */
import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import type { AccessFlags } from "../operations/choose-access.ts";
import type { Secret } from "../secret.ts";
import { type PasswordFlags, readPassword } from "./password-input.ts";

export interface LookFlags extends PasswordFlags {
  readonly data?: string;
  readonly api?: boolean;
  readonly user?: string;
}

async function passwordOf(context: Context, user: string, flags: PasswordFlags): Promise<Secret> {
  const isGiven = flags.passwordStdin === true || flags.passwordFile !== undefined;
  const given = isGiven ? await readPassword(context, flags, `Password of ${user}`) : undefined;
  const flag = "--password-stdin or --password-file";
  return given ?? context.prompt.password({ message: `Password of ${user}`, flag });
}

/** A password is only read for `--user`; without it docker's stored credentials are used where the API is asked. */
export async function accessFlags(context: Context, flags: LookFlags): Promise<AccessFlags> {
  const { user } = flags;
  const common = {
    dir: context.options.dir,
    ...(flags.data === undefined ? {} : { data: flags.data }),
    api: flags.api ?? false,
  };
  if (user === undefined) {
    if (flags.passwordStdin === undefined && flags.passwordFile === undefined) return { ...common, login: undefined };
    throw new RegctlError("usage", "a password without a user", { hint: "add --user NAME" });
  }
  const password = await passwordOf(context, user, flags);
  return { ...common, login: { username: user, password } };
}

const SHOWN_PROBLEMS = 20;

/** On stderr, not more than a screenful. */
export function warnOf(context: Context, problems: readonly string[]): void {
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) context.output.warn(problem);
  const rest = problems.length - SHOWN_PROBLEMS;
  if (rest > 0) context.output.warn(`… and ${rest} more; \`regctl fsck\` lists them all`);
}
