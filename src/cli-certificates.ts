/** The command table's page of certificates: the registry's own over the years, its authority, and those of clients. */
import type { Command } from "commander";
import { type Action, example, timeOfDay, wholeNumber, withPassword } from "./command-line.ts";

export function addCertificateCommands(program: Command, action: Action): void {
  program.commandsGroup("Certificates:");
  const certs = example(
    program.command("certs").description("show the certificate: names, issuer, days left, fingerprints"),
    "regctl certs",
    "regctl certs ca /tmp/ca.crt",
  ).action(action(async () => (await import("./commands/certs.ts")).certs));
  example(
    certs.command("issue <host...>").description("add names to regctl.yaml and issue a certificate that covers them"),
    "regctl certs issue registry.lan 192.168.1.10",
  ).action(action(async () => (await import("./commands/certs.ts")).certsIssue));
  example(
    certs.command("ca [file]").description("print the authority clients have to trust, or copy it to a file"),
    "regctl certs ca > ca.crt",
  ).action(action(async () => (await import("./commands/certs.ts")).certsCa));
  addRenewal(certs, action);
  addAuthorities(certs, action);
  addClients(certs, action);
}

/** Importing, renewing, and having it done. */
function addRenewal(certs: Command, action: Action): void {
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

function addAuthorities(certs: Command, action: Action): void {
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

/** Certificates that clients show beside their password. */
function addClients(certs: Command, action: Action): void {
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
