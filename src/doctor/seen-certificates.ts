/** The certificates of a deployment as checks look at them. */
import type { X509Certificate } from "node:crypto";
import type { Config } from "../config/config.ts";
import { decodeText, parseCertificate, splitPem } from "../pki/pem.ts";
import type { DeploymentFacts } from "./deployment-facts.ts";

export interface SeenCertificates {
  readonly config: Config;
  /** certs/domain.crt in its order: the leaf, then intermediates. Never empty. */
  readonly chain: readonly X509Certificate[];
  readonly leaf: X509Certificate;
  /** certs/ca.crt; undefined = there is none that can be read. */
  readonly authority: X509Certificate | undefined;
}

/** The certificates of a PEM file in its order; none when it is damaged or something else. */
export function certificatesOf(data: Buffer | undefined): X509Certificate[] {
  if (data === undefined) return [];
  try {
    return splitPem(decodeText(data)).map((pem) => parseCertificate(pem));
  } catch {
    return [];
  }
}

/** undefined without TLS, and for a file no certificate can be read from: that is a check of its own. */
export async function seenCertificates(facts: DeploymentFacts): Promise<SeenCertificates | undefined> {
  const config = await facts.config();
  if (config.tls.mode === "none") return undefined;
  const contents = await facts.certificates();
  const chain = certificatesOf(contents.certificate);
  const [leaf] = chain;
  if (leaf === undefined) return undefined;
  return { config, chain, leaf, authority: certificatesOf(contents.authority)[0] };
}

/** What gets a deployment another certificate. */
export function newCertificate({ tls }: Pick<Config, "tls">): string {
  return tls.mode === "own-ca"
    ? "regctl certs renew"
    : "get a new certificate from who issued it, then: regctl certs import CERTIFICATE --key KEY";
}
