/** The part of the command table about authorities: replacing the registry's, and certificates of clients. */
import type { Command } from "commander";
import { example, wholeNumber, withPassword } from "./command-line.ts";
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
  const client = certs
    .command("client <name>")
    .description("give a client a certificate to show beside its password (tls.clientAuth); again = a further one")
    .option("--days <days>", "how long it is valid (90)", wholeNumber(1, 825), 90)
    .option("-o, --output <folder>", "folder to write it to (client-NAME)")
    .option("--p12", "also as client.p12, for browsers and key stores; needs a password");
  example(
    withPassword(client),
    "regctl certs client ci-runner-1 -o /root/ci-runner-1",
    "regctl certs client anna --days 30 --p12 --password-file ./pw",
  ).action(action(async () => (await import("./commands/certs-client.ts")).certsClient));
  example(
    certs.command("clients").description("every client certificate, until when it is valid, and which are revoked"),
    "regctl certs clients --json",
  ).action(action(async () => (await import("./commands/certs-client.ts")).certsClients));
  example(
    certs
      .command("revoke <name>")
      .description("refuse every certificate of a client from now on; no other client notices"),
    "regctl certs revoke ci-runner-1",
  ).action(action(async () => (await import("./commands/certs-client.ts")).certsRevoke));
}
