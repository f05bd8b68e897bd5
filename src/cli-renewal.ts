/** The command table's page of certificates over the years: importing, renewing, and having it done. */
import type { Command } from "commander";
import { example } from "./command-line.ts";
import type { Context } from "./context.ts";

/** As in cli.ts: loads a command's code when it is run. */
type Action = (
  load: () => Promise<(context: Context, ...args: never[]) => Promise<unknown>>,
) => (...given: unknown[]) => Promise<void>;

/** Adds `import` and `renew` to the command `certs`. */
export function addRenewalCommands(certs: Command, action: Action): void {
  example(
    certs
      .command("import [certificate]")
      .description(
        "serve a certificate obtained elsewhere: PEM in any order, DER or PKCS#12; checked before anything changes",
      )
      .option("--key <file>", "its private key, when it is not in the certificate's file; PEM or DER")
      .option("--chain <file>", "intermediates, when they are in a file of their own")
      .option("--ca <file>", "the authority clients trust, when it is not a public one")
      .option("--passphrase-file <file>", "read the passphrase of the key from a file (- is stdin)")
      .option("--passphrase-stdin", "read the passphrase of the key from stdin")
      .option("--undo", "back to the certificate the last import took the place of")
      .option("--dry-run", "check it and show what would change"),
    "regctl certs import fullchain.pem --key privkey.pem",
    "regctl certs import registry.p12 --passphrase-file ./pw --ca company-root.crt",
    "regctl certs import --undo",
  ).action(action(async () => (await import("./commands/certs-import.ts")).certsImport));
  example(
    certs
      .command("renew")
      .description("a new certificate under the same authority; clients notice nothing")
      .option("--if-due", "only when less than a third of its life, or 30 days, is left")
      .option("--dry-run", "show what would change"),
    "regctl certs renew",
    "regctl certs renew --if-due",
  ).action(action(async () => (await import("./commands/certs-renew.ts")).certsRenew));
}
