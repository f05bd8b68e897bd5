import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { Secret } from "../secret.ts";
import type { CertifiedKey } from "./authority.ts";
import { readFields } from "./certificate-fields.ts";
import { isIssuedBy } from "./chain.ts";
import { keyIdentifiers, keyIdOf } from "./leaf.ts";
import { lintAuthority, lintLink } from "./lint.ts";
import { parseCertificate, readCertificate } from "./pem.ts";
import { validityFrom } from "./validity.ts";

export interface ClientOptions {
  /** Who or what it is for: the common name, at most 64 characters. */
  readonly name: string;
  readonly now: Date;
  readonly lifetimeDays: number;
}

/** A client certificate with its key, and the authority whose only certificate it is. */
export interface IssuedClient extends CertifiedKey {
  readonly authorityPem: string;
}

const KEY_BITS = 2048;

/**
 * Issues a client certificate under an authority of its own, whose key is forgotten here: registries have no revocation
 * lists, and taking this authority out of what one accepts revokes this certificate and no other. Loads node-forge.
 */
export async function issueClient({ name, now, lifetimeDays }: ClientOptions): Promise<IssuedClient> {
  const makePair = promisify(generateKeyPair);
  const [{ buildCertificate }, authority, leaf] = await Promise.all([
    import("./certificate-builder.ts"),
    makePair("rsa", { modulusLength: KEY_BITS }),
    makePair("rsa", { modulusLength: KEY_BITS }),
  ]);
  const validity = validityFrom(now, lifetimeDays);
  const authorityPem = buildCertificate({
    // Unlike any other: clients with several certificates pick by the name of the issuer. Short, for a server sends all of them.
    commonName: `client ${randomBytes(8).toString("hex")}`,
    publicKey: authority.publicKey,
    ...validity,
    extensions: [
      { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
      { name: "subjectKeyIdentifier" },
    ],
    issuerName: undefined,
    signingKey: authority.privateKey,
  });
  const issuer = parseCertificate(authorityPem);
  const fields = readFields(issuer);
  const certificatePem = buildCertificate({
    commonName: name,
    publicKey: leaf.publicKey,
    ...validity,
    extensions: [
      { name: "basicConstraints", critical: true, cA: false },
      { name: "keyUsage", critical: true, digitalSignature: true },
      { name: "extKeyUsage", clientAuth: true },
      ...keyIdentifiers(keyIdOf(fields)),
    ],
    issuerName: fields.subject,
    signingKey: authority.privateKey,
  });
  const certificate = parseCertificate(certificatePem);
  const problems = [...lintAuthority(issuer), ...lintLink(certificate, issuer)].map(({ code }) => code);
  if (!isIssuedBy(certificate, issuer) || !certificate.checkPrivateKey(leaf.privateKey)) problems.push("does not fit");
  if (problems.length > 0) throw new Error(`the client certificate fails its self-test: ${problems.join(", ")}`);
  const keyPem = new Secret(leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return { certificatePem, keyPem, authorityPem };
}

/** How many bytes a certificate's name takes in the list of accepted issuers a server sends (RFC 8446 §4.2.4). */
export function issuerListBytes(authorityPem: string): number {
  return readFields(readCertificate(authorityPem)).subject.length + 2;
}
