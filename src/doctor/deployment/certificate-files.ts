import { decodeText } from "../../pki/pem.ts";
import { FILES } from "../../project/paths.ts";
import type { Check, Diagnosis } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { certificatesOf, newCertificate } from "../seen-certificates.ts";

/** ASN.1 SEQUENCE with a long length: how every certificate begins when it is not PEM. */
function isDer(data: Buffer): boolean {
  return data[0] === 0x30 && (data[1] ?? 0) >= 0x80;
}

function problem(data: Buffer | undefined): string | undefined {
  if (data === undefined) return "is missing";
  if (data.length === 0) return "is empty";
  if (certificatesOf(data).length > 0) return undefined;
  if (isDer(data)) return "is DER, and the registry reads PEM";
  return decodeText(data).includes("PRIVATE KEY-----")
    ? "holds a private key, not a certificate"
    : "holds no certificate that can be read";
}

export const certificateFiles: Check<DeploymentFacts> = {
  id: "certificate-files",
  title: "the certificate files can be read",
  async examine(facts): Promise<Diagnosis | undefined> {
    const config = await facts.config();
    if (config.tls.mode === "none") return undefined;
    const { certificate, authority } = await facts.certificates();
    const leaf = problem(certificate);
    if (leaf !== undefined) {
      const fix =
        certificate !== undefined && isDer(certificate)
          ? `openssl x509 -inform DER -in ${FILES.certificate} -out domain.pem && regctl certs import domain.pem --key ${FILES.key}`
          : newCertificate(config);
      return { verdict: "broken", cause: `${FILES.certificate} ${leaf}`, fix };
    }
    // A certificate of a public CA comes without one.
    const anchor = authority === undefined && config.tls.mode === "provided" ? undefined : problem(authority);
    if (anchor === undefined) return undefined;
    const fix = `put ${FILES.authorityCertificate} back from a backup, or take it from a client that trusts it`;
    return {
      verdict: "broken",
      cause: `${FILES.authorityCertificate} ${anchor}: no new client can be told whom to trust`,
      fix,
    };
  },
};
