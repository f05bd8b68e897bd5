import type { X509Certificate } from "node:crypto";
import { type KeyUsage, readFields } from "./certificate-fields.ts";
import { isSelfSigned } from "./chain.ts";
import { readCertificate } from "./pem.ts";
import { keyBits, publicKeyOf } from "./public-key.ts";

/** What people and scripts want to know of a certificate; times are RFC 3339, fingerprints upper-case hex with colons. */
export interface CertificateInfo {
  readonly subject: string;
  readonly issuer: string;
  /** DNS names, then IP addresses; the other kinds play no part in TLS. */
  readonly sans: readonly string[];
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days until notAfter, negative once it has passed. */
  readonly daysLeft: number;
  readonly sha256: string;
  readonly sha1: string;
  readonly keyType: string;
  readonly keyBits: number | undefined;
  readonly signatureAlgorithm: string;
  readonly isCa: boolean;
  readonly selfSigned: boolean;
  readonly keyUsage: readonly KeyUsage[];
  /** Object identifiers: 1.3.6.1.5.5.7.3.1 is serverAuth. */
  readonly extendedKeyUsage: readonly string[];
}

const DAY_MS = 86_400_000;

/** Describes the first certificate of a PEM text. Throws `input-invalid` if there is none. */
export function describeCertificate(pem: string | X509Certificate, now: Date): CertificateInfo {
  const certificate = readCertificate(pem);
  const fields = readFields(certificate);
  const key = publicKeyOf(certificate);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    sans: [...(fields.subjectAltName?.dns ?? []), ...(fields.subjectAltName?.ips ?? [])],
    serial: certificate.serialNumber,
    notBefore: toIso(certificate.validFrom),
    notAfter: toIso(certificate.validTo),
    daysLeft: daysLeft(certificate.validTo, now),
    sha256: certificate.fingerprint256,
    sha1: certificate.fingerprint,
    keyType: key?.asymmetricKeyType ?? "unknown",
    keyBits: keyBits(key),
    signatureAlgorithm: fields.signatureAlgorithm,
    isCa: certificate.ca,
    selfSigned: isSelfSigned(certificate),
    keyUsage: fields.keyUsage?.usages ?? [],
    extendedKeyUsage: fields.extendedKeyUsage?.oids ?? [],
  };
}

/** Whole days from `now` to `notAfter` (anything `Date` understands), rounded down. */
export function daysLeft(notAfter: string | Date, now: Date): number {
  return Math.floor((new Date(notAfter).getTime() - now.getTime()) / DAY_MS);
}

/** A distinguished name as Node gives it (one attribute a line, undefined when empty) on one line. */
export function oneLine(name: string | undefined): string {
  return name === undefined || name === "" ? "(no name)" : name.split("\n").join(", ");
}

function toIso(date: string): string {
  return new Date(date).toISOString().replace(".000Z", "Z");
}
