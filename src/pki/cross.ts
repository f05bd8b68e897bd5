import type { X509Certificate } from "node:crypto";
import type { CertifiedKey } from "./authority.ts";
import { readFields } from "./certificate-fields.ts";
import { isIssuedBy } from "./chain.ts";
import { keyIdentifiers, keyIdOf, readSigner, validityOf } from "./leaf.ts";
import { lintAuthority, lintLink } from "./lint.ts";
import { parseCertificate, readCertificate } from "./pem.ts";
import { validityFrom } from "./validity.ts";

/** Whether an authority may sign another one that signs leaves: its path length leaves room for one (RFC 5280 §4.2.1.9). */
export function hasRoomForIntermediate(authority: string | X509Certificate): boolean {
  const { basicConstraints } = readFields(readCertificate(authority));
  return basicConstraints?.pathLength === undefined || basicConstraints.pathLength > 0;
}

/** Whether `cross` is about the same name and key as `authority`, so that it can stand for it in a chain. */
export function standsFor(cross: string | X509Certificate, authority: string | X509Certificate): boolean {
  const [one, other] = [readCertificate(cross), readCertificate(authority)];
  const names = [readFields(one).subject, readFields(other).subject] as const;
  return names[0].equals(names[1]) && one.publicKey.equals(other.publicKey);
}

/**
 * The successor's name and key, signed by the authority before it: served behind a leaf of the successor, clients that
 * know only the old authority and clients that know only the new one both verify it. PEM; ends with the first of the two.
 * Loads node-forge. Throws `input-invalid` when the old authority cannot sign.
 */
export async function crossSign(authority: CertifiedKey, successorPem: string, now: Date): Promise<string> {
  const signer = readSigner(authority, now);
  const successor = readCertificate(successorPem);
  const [issuer, subject] = [readFields(signer.certificate), readFields(successor)];
  const { buildCertificate } = await import("./certificate-builder.ts");
  const ends = [signer.certificate, successor].map((certificate) => validityOf(certificate).notAfter.getTime());
  const certificatePem = buildCertificate({
    commonName: "",
    subjectName: subject.subject,
    publicKey: successor.publicKey,
    ...validityFrom(now, Number.POSITIVE_INFINITY, {
      notBefore: validityOf(signer.certificate).notBefore,
      notAfter: new Date(Math.min(...ends)),
    }),
    extensions: [
      { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
      ...keyIdentifiers(keyIdOf(issuer)),
    ],
    issuerName: issuer.subject,
    signingKey: signer.key,
  });
  const cross = parseCertificate(certificatePem);
  const problems = [...lintAuthority(cross), ...lintLink(cross, signer.certificate)].map(({ code }) => code);
  if (!isIssuedBy(cross, signer.certificate) || !standsFor(cross, successor)) problems.push("not what was asked for");
  if (!hasRoomForIntermediate(signer.certificate)) problems.push("the old authority leaves no room for it");
  if (problems.length > 0) throw new Error(`the cross certificate fails its self-test: ${problems.join(", ")}`);
  return certificatePem;
}
