import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";

/** For what cannot be undone: the deployment's name is typed, or `--yes --confirm NAME` given. */
export async function confirmName(
  context: Context,
  what: string,
  name: string,
  given: string | undefined,
): Promise<void> {
  const typed =
    context.options.yes && given !== undefined
      ? given
      : context.prompt.isInteractive
        ? await context.prompt.text({
            message: `${what} Type the name (${name}) to go on`,
            flag: `--yes --confirm ${name}`,
          })
        : undefined;
  if (typed === undefined) {
    throw new RegctlError("input-required", what, { hint: `to do it without a terminal: --yes --confirm ${name}` });
  }
  if (typed !== name) throw new RegctlError("declined", `${JSON.stringify(typed)} is not ${name}; nothing was changed`);
}
