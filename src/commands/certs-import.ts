import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { readCertificateInputs } from "../operations/certificate-inputs.ts";
import { withLockUnless } from "../operations/deployment.ts";
import {
  type GivenCertificate,
  type ImportResult,
  importCertificate,
  undoImport,
  unlockGiven,
} from "../operations/import-certificate.ts";
import { locateDeployment } from "../operations/locate.ts";
import type { Secret } from "../secret.ts";
import { readGivenSecret } from "./password-input.ts";

export interface ImportFlags {
  readonly key?: string;
  readonly chain?: string;
  readonly ca?: string;
  readonly passphraseFile?: string;
  readonly passphraseStdin?: boolean;
  readonly undo?: boolean;
  readonly dryRun?: boolean;
}

async function readGiven(context: Context, certificate: string, flags: ImportFlags): Promise<GivenCertificate> {
  const named = (file: string | undefined, argument: string) =>
    file === undefined ? undefined : { path: context.absolute(file), argument };
  const read = await readCertificateInputs({
    certificate: { path: context.absolute(certificate), argument: "the certificate's file" },
    key: named(flags.key, "--key"),
    chain: named(flags.chain, "--chain"),
    authority: named(flags.ca, "--ca"),
  });
  const secret = flags.passphraseStdin === true ? "-" : flags.passphraseFile;
  const passphrase = secret === undefined ? undefined : await readGivenSecret(context, secret, "passphrase");
  return { ...read, certificate: read.certificate as Buffer, passphrase };
}

/** Only on a terminal, and only where none was given: elsewhere the check names what is missing. */
function passphraseQuestion(
  context: Context,
  given: GivenCertificate,
): ((again: boolean) => Promise<Secret>) | undefined {
  if (!context.prompt.isInteractive || given.passphrase !== undefined) return undefined;
  return (again) =>
    context.prompt.password({
      message: again
        ? "That passphrase does not open it; the passphrase of the private key"
        : "Passphrase of the private key",
      flag: "--passphrase-file or --passphrase-stdin",
      allowEmpty: true,
    });
}

function advice(result: ImportResult, isDry: boolean): string {
  const [leaf] = result.chain;
  const served = `${isDry ? "would serve" : "serves"} ${leaf?.subject}, issued by ${leaf?.issuer}, valid until ${leaf?.notAfter}`;
  const clients = result.isPublic
    ? "a public authority issued it: clients need nothing"
    : result.authorityChanged
      ? "clients have to trust another authority now: hand out certs/ca.crt (`regctl certs ca`)"
      : "clients that trust certs/ca.crt notice nothing";
  const back = result.formerFolder === undefined ? [] : ["the way back: `regctl certs import --undo`"];
  return [served, clients, ...back].join("\n");
}

function report(context: Context, result: ImportResult, dryRun: boolean): void {
  for (const { severity, message } of result.findings) {
    if (severity === "warning") context.output.warn(message);
    else context.output.note(message);
  }
  const { changes, chain, findings, isPublic, formerFolder = null } = result;
  const text =
    changes.length === 0
      ? "no changes"
      : [...(dryRun ? [renderChanges(changes)] : []), advice(result, dryRun)].join("\n");
  if (!dryRun) context.output.note(renderChanges(changes));
  context.output.result("certs-import", { dryRun, changes, chain, findings, isPublic, former: formerFolder }, text);
}

/** Serves a certificate obtained elsewhere, or with `undo` the one it took the place of. */
export async function certsImport(
  context: Context,
  certificate: string | undefined,
  flags: ImportFlags,
): Promise<void> {
  const dryRun = flags.dryRun ?? false;
  if ((certificate === undefined) !== (flags.undo === true)) {
    throw new RegctlError(
      "usage",
      flags.undo === true ? "--undo takes no certificate" : "name the certificate to import",
      { hint: "regctl certs import CERTIFICATE --key KEY, or regctl certs import --undo" },
    );
  }
  const directory = await locateDeployment(context, context.options.dir);
  if (certificate === undefined) {
    await withLockUnless(dryRun, context, directory, "certs import --undo", async () =>
      report(context, await undoImport(context, directory, dryRun), dryRun),
    );
    return;
  }
  const read = await readGiven(context, certificate, flags);
  const given = await unlockGiven(context, directory, read, passphraseQuestion(context, read));
  await withLockUnless(dryRun, context, directory, "certs import", async () =>
    report(context, await importCertificate(context, directory, given, dryRun), dryRun),
  );
}
