/** What the command table is written with: parsers of option values, examples, and what commander's errors mean. */

import { type Command, CommanderError, InvalidArgumentError } from "commander";
import type { Context } from "./context.ts";
import { RegctlError } from "./errors.ts";

/** Help and the version are commander errors as well; undefined = the command line asked for one of them, and has it. */
export function usageError(error: CommanderError): RegctlError | undefined {
  if (["commander.help", "commander.helpDisplayed", "commander.version"].includes(error.code)) return undefined;
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const meant = suggestion === undefined ? "" : `${suggestion.replace(/^\((.*)\)$/, "$1")} `;
  return new RegctlError("usage", message, { hint: `${meant}Add --help for the options` });
}

export function isUsage(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}

/** A parser for an option that takes a whole number. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || text.trim() === "" || value < least || value > most)
      throw new InvalidArgumentError(`It should be a whole number from ${least} to ${most}.`);
    return value;
  };
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `10m`, `1h`, `7d`, `2w` or `0`, as milliseconds. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d|w)?$/.exec(text.trim()) ?? [];
  if (amount === undefined || (unit === undefined && Number(amount) !== 0))
    throw new InvalidArgumentError("It should be a number with a unit: 90s, 10m, 1h, 7d, 2w, or 0.");
  return Number(amount) * (DURATION_UNITS[unit ?? "s"] as number);
}

/** `10%`, or `10`, as a share above 0 and up to 1. */
export function percentage(text: string): number {
  const [, number] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text.trim()) ?? [];
  const share = Number(number ?? "0") / 100;
  if (share <= 0 || share > 1) throw new InvalidArgumentError("It should be a percentage: 10%, 0.5%, up to 100%.");
  return share;
}

/** `03:30`, a time of the day. */
export function timeOfDay(text: string): string {
  const [, hour = "", minute = ""] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  if (hour === "" || Number(hour) > 23 || Number(minute) > 59)
    throw new InvalidArgumentError("It should be a time from 00:00 to 23:59.");
  return `${hour.padStart(2, "0")}:${minute}`;
}

/** A parser for an option that may be repeated, or given a list with commas. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...value.split(",").filter((part) => part !== "")];
}

/** The two ways to hand over a password. */
export function withPassword(command: Command): Command {
  return command
    .option("--password-stdin", "read the password from stdin")
    .option("--password-file <file>", "read the password from a file (- is stdin)");
}

/** Examples at the end of a command's help. */
export function example(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText(
    "after",
    `\nExample${lines.length > 1 ? "s" : ""}:\n${lines.map((line) => `  $ ${line}`).join("\n")}`,
  );
}

export const COMPLETION_EXAMPLE = "regctl completion bash > /etc/bash_completion.d/regctl";

/** How a page of the command table has a command's code loaded when it is run. */
export type Action = (
  load: () => Promise<(context: Context, ...args: never[]) => Promise<unknown>>,
) => (...given: unknown[]) => Promise<void>;
