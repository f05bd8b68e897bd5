/** The command table's page of certificates over the years: importing, renewing, and having it done. */
import type { Command } from "commander";
import { example, timeOfDay } from "./command-line.ts";
import type { Context } from "./context.ts";

/** As in cli.ts: loads a command's code when it is run. */
type Action = (
  load: () => Promise<(context: Context, ...args: never[]) => Promise<unknown>>,
) => (...given: unknown[]) => Promise<void>;

/** Adds `import`, `renew` and `schedule` to the command `certs`. */
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
  const schedule = example(
    certs
      .command("schedule")
      .description("have the host renew it when it is due: install, show, remove a daily job")
      .helpCommand(false),
    "regctl certs schedule install",
  );
  example(
    schedule
      .command("install")
      .description("a systemd timer where systemd runs, else cron; --prune and --gc as well, if asked")
      .option("--at <time>", "when, HH:MM in local time (some time at night)", timeOfDay)
      .option("--prune", "also remove what the retention policy gives up")
      .option("--gc", "also collect garbage"),
    "regctl certs schedule install",
    "regctl certs schedule install --at 03:30 --prune --gc",
  ).action(action(async () => (await import("./commands/certs-schedule.ts")).scheduleInstall));
  example(
    schedule
      .command("show")
      .description("what is installed, whether it will run, how the last run ended; exit 3 if it will not"),
    "regctl certs schedule show",
  ).action(action(async () => (await import("./commands/certs-schedule.ts")).scheduleShow));
  example(
    schedule.command("remove").description("remove the daily job; nothing of it is left"),
    "regctl certs schedule remove",
  ).action(action(async () => (await import("./commands/certs-schedule.ts")).scheduleRemove));
}
