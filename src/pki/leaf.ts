import { createHash, generateKeyPair, type KeyObject, type X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import { RegctlError } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { CertifiedKey } from "./authority.ts";
import { type CertificateFields, readFields } from "./certificate-fields.ts";
import { isIssuedBy } from "./chain.ts";
import { oneLine } from "./describe.ts";
import { coversHost } from "./host-match.ts";
import { lintAuthority, lintLeaf, lintLink } from "./lint.ts";
import { parseCertificate, readCertificate } from "./pem.ts";
import { readPrivateKey } from "./private-key.ts";
import type { Host } from "./san.ts";
import { type Validity, validityFrom } from "./validity.ts";

export interface LeafOptions {
  readonly authority: CertifiedKey;
  /** One at least; the first one is also the common name. */
  readonly hosts: readonly Host[];
  readonly now: Date;
  /** Cut at the CA's own end. */
  readonly lifetimeDays?: number;
  readonly keyBits?: number;
}

export interface Signer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

const MAX_COMMON_NAME = 64;

/**
 * Issues a server certificate with a new RSA key, signed by an RSA or EC authority, and verifies it before it is handed
 * out. Loads node-forge. Throws `input-invalid` when the authority cannot sign.
 */
export async function issueLeaf(options: LeafOptions): Promise<CertifiedKey> {
  const { hosts, now, lifetimeDays = 397, keyBits = 2048 } = options;
  if (hosts.length === 0) {
    throw new RegctlError("input-invalid", "a server certificate needs a host name or IP address", {
      hint: "name one, such as registry.example.com",
    });
  }
  const authority = readSigner(options.authority, now);
  const fields = readFields(authority.certificate);
  const [{ buildCertificate }, { publicKey, privateKey }] = await Promise.all([
    import("./certificate-builder.ts"),
    promisify(generateKeyPair)("rsa", { modulusLength: keyBits }),
  ]);
  const certificatePem = buildCertificate({
    commonName: hosts[0] !== undefined && hosts[0].value.length <= MAX_COMMON_NAME ? hosts[0].value : "registry",
    publicKey,
    ...validityFrom(now, lifetimeDays, validityOf(authority.certificate)),
    extensions: leafExtensions(hosts, keyIdOf(fields)),
    issuerName: fields.subject,
    signingKey: authority.key,
  });
  assertSound(parseCertificate(certificatePem), authority.certificate, privateKey, hosts);
  return { certificatePem, keyPem: new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString()) };
}

function leafExtensions(hosts: readonly Host[], authorityKeyId: Buffer): object[] {
  return [
    { name: "basicConstraints", critical: true, cA: false },
    { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true },
    {
      name: "subjectAltName",
      altNames: hosts.map(({ kind, value }) => (kind === "dns" ? { type: 2, value } : { type: 7, ip: value })),
    },
    ...keyIdentifiers(authorityKeyId),
  ];
}

/** The identifiers of a certificate's own key and of its issuer's, for `buildCertificate`. */
export function keyIdentifiers(authorityKeyId: Buffer): object[] {
  return [
    { name: "subjectKeyIdentifier" },
    // Never `keyIdentifier: true`: forge then writes the leaf's own key id (digitalbazaar/forge#462).
    { name: "authorityKeyIdentifier", keyIdentifier: authorityKeyId.toString("binary") },
  ];
}

/** What an authority's certificate calls its key; the usual hash where it does not say (RFC 5280 §4.2.1.2). */
export function keyIdOf(fields: Pick<CertificateFields, "subjectKeyId" | "publicKeyBits">): Buffer {
  return fields.subjectKeyId?.id ?? createHash("sha1").update(fields.publicKeyBits).digest();
}

/** An authority that can sign at `now`. Throws `input-invalid` with the reason when it cannot. */
export function readSigner(authority: CertifiedKey, now: Date): Signer {
  const certificate = readCertificate(authority.certificatePem);
  const name = oneLine(certificate.subject);
  const read = readPrivateKey(authority.keyPem.reveal(), undefined);
  if ("code" in read) {
    throw refusal(`the CA's key cannot be used: ${read.message}`, read.hint ?? "give the CA's private key as PEM");
  }
  const kind = read.key.asymmetricKeyType;
  if (kind !== "rsa" && kind !== "ec") {
    throw refusal(`the CA ${name} has a key of the kind ${kind}`, "use a CA with an RSA or EC key");
  }
  if (!certificate.checkPrivateKey(read.key)) {
    throw refusal(`the CA's key does not belong to the CA ${name}`, "put the key the CA was made with beside it");
  }
  const flaw = lintAuthority(certificate).find((finding) => finding.severity === "error");
  if (flaw !== undefined) throw refusal(flaw.message, flaw.hint ?? "use a proper CA certificate");
  const { notBefore, notAfter } = validityOf(certificate);
  if (now < notBefore) {
    throw refusal(`the CA ${name} is valid from ${notBefore.toISOString()} only`, "check this machine's clock: date");
  }
  if (now >= notAfter) {
    throw refusal(
      `the CA ${name} expired on ${notAfter.toISOString()}`,
      "make a new CA, then have every client trust it: `regctl certs rollover`",
    );
  }
  return { certificate, key: read.key };
}

export function validityOf(certificate: X509Certificate): Validity {
  return { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
}

function assertSound(leaf: X509Certificate, authority: X509Certificate, key: KeyObject, hosts: readonly Host[]): void {
  const problems = [...lintLeaf(leaf), ...lintLink(leaf, authority)].map((finding) => finding.code);
  if (!isIssuedBy(leaf, authority)) problems.push("not issued by the CA");
  if (!leaf.checkPrivateKey(key)) problems.push("key does not match");
  problems.push(...hosts.filter((host) => !coversHost(leaf, host)).map((host) => `does not cover ${host.value}`));
  if (problems.length > 0) throw new Error(`the new certificate fails its self-test: ${problems.join(", ")}`);
}

function refusal(message: string, hint: string): RegctlError {
  return new RegctlError("input-invalid", message, { hint });
}
