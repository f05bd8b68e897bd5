import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type DerElement, expectTag, readBits, readChildren, readElement, readOid, TAG } from "./der.ts";

/** RFC 5280 §4.2.1.3, in bit order. */
const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

export const EXTENDED_KEY_USAGE = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

const SIGNATURES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
  "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
  "1.3.14.3.2.29": "sha1WithRSA",
  "1.2.840.10040.4.3": "dsaWithSHA1",
  "1.2.840.10045.4.1": "ecdsa-with-SHA1",
  "1.2.840.113549.1.1.10": "rsassaPss",
  "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
  "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
  "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
  "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
  "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
  "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
  "1.3.101.112": "Ed25519",
};

interface Extension {
  readonly critical: boolean;
}

/** What `X509Certificate` does not tell: the extensions with their criticality, and the raw octets of names and numbers. */
export interface CertificateFields {
  readonly version: number;
  /** Content octets of the INTEGER, two's complement. */
  readonly serial: Buffer;
  readonly signatureAlgorithm: string;
  /** The whole Name, DER. */
  readonly subject: Buffer;
  readonly subjectIsEmpty: boolean;
  /** Content of subjectPublicKey without the unused-bits octet: what a key identifier is the SHA-1 of. */
  readonly publicKeyBits: Buffer;
  readonly basicConstraints?: Extension & { readonly ca: boolean; readonly pathLength?: number };
  readonly keyUsage?: Extension & { readonly usages: readonly KeyUsage[] };
  readonly extendedKeyUsage?: Extension & { readonly oids: readonly string[] };
  readonly subjectAltName?: Extension & { readonly dns: readonly string[]; readonly ips: readonly string[] };
  readonly subjectKeyId?: Extension & { readonly id: Buffer };
  readonly authorityKeyId?: Extension & { readonly keyId?: Buffer; readonly namesIssuer: boolean };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads a certificate's structure (RFC 5280 §4.1), whatever its key type. Throws `input-invalid` if it is not one. */
export function readFields(certificate: X509Certificate | Buffer): CertificateFields {
  const raw = Buffer.isBuffer(certificate) ? certificate : certificate.raw;
  const [tbs, algorithm] = readChildren(expectTag(readElement(raw), TAG.sequence));
  const parts = readChildren(expectTag(tbs, TAG.sequence));
  const versioned = parts[0]?.tag === 0xa0;
  const [serial, , , , subject, publicKey, ...optional] = versioned ? parts.slice(1) : parts;
  const [, bits] = readChildren(expectTag(publicKey, TAG.sequence));
  const [algorithmOid] = readChildren(expectTag(algorithm, TAG.sequence));
  const oid = readOid(algorithmOid);
  const fields: Mutable<CertificateFields> = {
    version: versioned ? (readElement(expectTag(parts[0], 0xa0).content).content[0] ?? 0) + 1 : 1,
    serial: expectTag(serial, TAG.integer).content,
    signatureAlgorithm: SIGNATURES[oid] ?? oid,
    subject: expectTag(subject, TAG.sequence).raw,
    subjectIsEmpty: expectTag(subject, TAG.sequence).content.length === 0,
    publicKeyBits: expectTag(bits, TAG.bitString).content.subarray(1),
  };
  const extensions = optional.find((part) => part.tag === 0xa3);
  if (extensions !== undefined) {
    for (const extension of readChildren(readElement(extensions.content))) addExtension(fields, extension);
  }
  return fields;
}

function addExtension(fields: Mutable<CertificateFields>, extension: DerElement): void {
  const parts = readChildren(expectTag(extension, TAG.sequence));
  const critical = parts[1]?.tag === TAG.boolean && parts[1].content[0] !== 0;
  const value = expectTag(parts.at(-1), TAG.octetString).content;
  switch (readOid(parts[0])) {
    case "2.5.29.14":
      fields.subjectKeyId = { critical, id: expectTag(readElement(value), TAG.octetString).content };
      return;
    case "2.5.29.15": {
      const bits = readBits(readElement(value));
      fields.keyUsage = { critical, usages: KEY_USAGES.filter((_, bit) => bits.has(bit)) };
      return;
    }
    case "2.5.29.17":
      fields.subjectAltName = { critical, ...readNames(readElement(value)) };
      return;
    case "2.5.29.19":
      fields.basicConstraints = { critical, ...readBasicConstraints(readElement(value)) };
      return;
    case "2.5.29.35": {
      const inner = readChildren(expectTag(readElement(value), TAG.sequence));
      const keyId = inner.find((part) => part.tag === 0x80)?.content;
      const namesIssuer = inner.some((part) => part.tag === 0xa1 || part.tag === 0x82);
      fields.authorityKeyId = { critical, namesIssuer, ...(keyId === undefined ? {} : { keyId }) };
      return;
    }
    case "2.5.29.37":
      fields.extendedKeyUsage = { critical, oids: readChildren(readElement(value)).map(readOid) };
      return;
    default:
  }
}

function readBasicConstraints(value: DerElement): { ca: boolean; pathLength?: number } {
  const parts = readChildren(expectTag(value, TAG.sequence));
  const ca = parts.find((part) => part.tag === TAG.boolean)?.content[0];
  const length = parts.find((part) => part.tag === TAG.integer)?.content;
  return {
    ca: ca !== undefined && ca !== 0,
    ...(length === undefined || length.length === 0
      ? {}
      : { pathLength: length.readUIntBE(0, Math.min(length.length, 6)) }),
  };
}

function readNames(value: DerElement): { dns: string[]; ips: string[] } {
  const names = readChildren(expectTag(value, TAG.sequence));
  return {
    dns: names.filter((name) => name.tag === 0x82).map((name) => name.content.toString("latin1")),
    ips: names.filter((name) => name.tag === 0x87).map((name) => addressText(name.content)),
  };
}

function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join(".");
  const groups = (octets.toString("hex").match(/.{1,4}/g) ?? []).join(":");
  return isIP(groups) === 6
    ? new URL(`http://[${groups}]/`).hostname.slice(1, -1)
    : `invalid:${octets.toString("hex")}`;
}
