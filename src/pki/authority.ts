import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { Secret } from "../secret.ts";
import { isSelfSigned } from "./chain.ts";
import { lintAuthority } from "./lint.ts";
import { parseCertificate } from "./pem.ts";
import { validityFrom } from "./validity.ts";

/** A certificate and its private key (PKCS#8), both PEM with LF. */
export interface CertifiedKey {
  readonly certificatePem: string;
  readonly keyPem: Secret;
}

export interface AuthorityOptions {
  readonly deploymentName: string;
  readonly now: Date;
  readonly lifetimeDays?: number;
  readonly keyBits?: number;
}

const MAX_COMMON_NAME = 64;

/**
 * Makes a certificate authority for one deployment: RSA, ten years, room for one intermediate (pathlen 1), so that a
 * later CA can be cross-signed by this one and clients notice nothing. Loads node-forge.
 */
export async function createAuthority(options: AuthorityOptions): Promise<CertifiedKey> {
  const { now, lifetimeDays = 3650, keyBits = 3072 } = options;
  const [{ buildCertificate }, { publicKey, privateKey }] = await Promise.all([
    import("./certificate-builder.ts"),
    promisify(generateKeyPair)("rsa", { modulusLength: keyBits }),
  ]);
  const certificatePem = buildCertificate({
    commonName: generationName(options.deploymentName, now),
    publicKey,
    ...validityFrom(now, lifetimeDays),
    extensions: [
      { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 1 },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
      { name: "subjectKeyIdentifier" },
    ],
    issuerName: undefined,
    signingKey: privateKey,
  });
  const certificate = parseCertificate(certificatePem);
  const findings = lintAuthority(certificate);
  if (findings.length > 0 || !isSelfSigned(certificate) || !certificate.checkPrivateKey(privateKey)) {
    throw new Error(`the new CA fails its self-test: ${findings.map((finding) => finding.code).join(", ")}`);
  }
  return { certificatePem, keyPem: new Secret(privateKey.export({ type: "pkcs8", format: "pem" }).toString()) };
}

/** Unlike that of any other CA: with equal names OpenSSL clients that know two of them try the wrong key. */
function generationName(deploymentName: string, now: Date): string {
  const suffix = ` CA ${now.toISOString().slice(0, 7)} ${randomBytes(3).toString("hex")}`;
  return `regctl ${deploymentName}`.slice(0, MAX_COMMON_NAME - suffix.length) + suffix;
}
