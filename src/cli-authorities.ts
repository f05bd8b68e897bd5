/** The part of the command table about authorities: replacing the registry's, and certificates of clients. */
import type { Command } from "commander";
import { example } from "./command-line.ts";
import type { Context } from "./context.ts";

type Action = (
  load: () => Promise<(context: Context, ...args: never[]) => Promise<unknown>>,
) => (...given: unknown[]) => Promise<void>;

/** Adds them below `certs`. */
export function addAuthorityCommands(certs: Command, action: Action): void {
  const rollover = certs
    .command("rollover")
    .description("change over to a new CA; cross-signed by the old one, so that clients notice nothing until --finish")
    .option("--finish", "drop the old CA; clients that trust it alone are refused from then on")
    .option("--abort", "go back to the old CA")
    .option("--compromised", "the CA's key was stolen: replace everything at once; every client has to be told")
    .option("--dry-run", "show the plan only");
  example(rollover, "regctl certs rollover", "regctl certs rollover --finish --yes").action(
    action(async () => (await import("./commands/certs-rollover.ts")).certsRollover),
  );
}
