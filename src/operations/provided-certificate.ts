/** A certificate its owner brought: checked before it is taken, and again whenever the files in certs/ changed. */
import { type Config, certificateHosts } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import type { AcceptedCertificate } from "../pki/import.ts";
import { readCertificateInputs } from "./certificate-inputs.ts";
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
  const { certificate, key, chain } = await readCertificateInputs({
    certificate: { path: provided.certificate, argument: "--cert" },
    key: { path: provided.key, argument: "--key" },
    chain: provided.chain === undefined ? undefined : { path: provided.chain, argument: "--chain" },
  });
  return checkProvided({
    certificate: certificate ?? "",
    key: key ?? "",
    chain,
    passphrase: provided.passphrase,
    hosts: normalizeHosts(certificateHosts(config)),
    now: ports.now(),
  });
}
