/** A certificate its owner brought: checked before it is taken, and again whenever the files in certs/ changed. */
import { readFile } from "node:fs/promises";
import { type Config, certificateHosts } from "../config/config.ts";
import { messageOf, RegctlError } from "../errors.ts";
import type { AcceptedCertificate } from "../pki/import.ts";
import type { CertificateFiles } from "./certificates.ts";
import type { ProvidedFiles } from "./init-answers.ts";
import type { OperationPorts } from "./ports.ts";

/** Throws `input-invalid` with every finding when certs/domain.{crt,key} cannot serve this deployment. */
export async function checkProvidedFiles(
  ports: OperationPorts,
  config: Config,
  files: CertificateFiles,
): Promise<void> {
  const { certificatePem, keyPem } = files;
  if (certificatePem === undefined || keyPem === undefined) {
    throw new RegctlError(
      "precondition-failed",
      `certs/${certificatePem === undefined ? "domain.crt" : "domain.key"} is missing`,
      {
        hint: "tls.mode: provided means both files are yours to put there; with tls.mode: own-ca regctl issues them",
      },
    );
  }
  const [{ checkProvided }, { normalizeHosts }] = await Promise.all([
    import("../pki/import.ts"),
    import("../pki/san.ts"),
  ]);
  const checked = await checkProvided({
    certificate: certificatePem,
    key: keyPem.reveal(),
    hosts: normalizeHosts(certificateHosts(config)),
    now: ports.now(),
    ...(files.authorityPem === undefined ? {} : { extraAuthorities: [files.authorityPem] }),
  });
  for (const finding of checked.findings) ports.output.detail(`${finding.code}: ${finding.message}`);
}

async function readInput(path: string, flag: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new RegctlError("input-invalid", `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
      hint: `correct ${flag}`,
    });
  }
}

/** Reads and checks the files `init` was given; the accepted form is what goes into certs/. */
export async function acceptProvided(
  ports: OperationPorts,
  config: Config,
  provided: ProvidedFiles,
): Promise<AcceptedCertificate> {
  const [{ checkProvided }, { normalizeHosts }] = await Promise.all([
    import("../pki/import.ts"),
    import("../pki/san.ts"),
  ]);
  const [certificate, key, chain] = await Promise.all([
    readInput(provided.certificate, "--cert"),
    readInput(provided.key, "--key"),
    provided.chain === undefined ? undefined : readInput(provided.chain, "--chain"),
  ]);
  return checkProvided({
    certificate,
    key,
    chain,
    passphrase: provided.passphrase,
    hosts: normalizeHosts(certificateHosts(config)),
    now: ports.now(),
  });
}
