import { type Issue, messageOf, RegctlError } from "../errors.ts";

/** What a parser of the program has against a value, as the issue of the key that has it; none when it parses. */
export function attempt(path: string, parse: () => unknown): Issue[] {
  try {
    parse();
    return [];
  } catch (error) {
    const hint = error instanceof RegctlError ? error.hint : undefined;
    return [{ path, message: messageOf(error), ...(hint === undefined ? {} : { hint }) }];
  }
}
