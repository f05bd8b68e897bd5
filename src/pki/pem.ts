import { X509Certificate } from "node:crypto";
import { RegctlError } from "../errors.ts";
import { readElement } from "./der.ts";

const CERTIFICATE_BLOCK = /-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----([^-]*)-----END \1-----/g;

/** The text of a file that may start with a byte order mark (Windows tools write UTF-8 and UTF-16 ones). */
export function decodeText(data: Buffer | string): string {
  if (typeof data === "string") return data.replace(/^\uFEFF/, "");
  const encoding = data[0] === 0xff && data[1] === 0xfe ? "utf16le" : "utf8";
  return data.toString(encoding).replace(/^\uFEFF/, "");
}

/**
 * Every certificate of a bundle, in its order, each as one clean PEM block with LF and without the trust settings of
 * `TRUSTED CERTIFICATE`; anything between the blocks is ignored. Throws `input-invalid` on a damaged block.
 */
export function splitPem(text: string): string[] {
  return [...decodeText(text).matchAll(CERTIFICATE_BLOCK)].map((match) => {
    // OpenSSL appends its trust settings after the certificate: only the first element is the certificate.
    return toPem("CERTIFICATE", readElement(Buffer.from(match[2] ?? "", "base64")).raw);
  });
}

/** DER as a PEM block, LF, 64 characters a line (RFC 7468 §2). */
export function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The first certificate of a PEM text, or the certificate itself. Throws `input-invalid`. */
export function readCertificate(certificate: string | X509Certificate): X509Certificate {
  if (certificate instanceof X509Certificate) return certificate;
  const [first] = splitPem(certificate);
  if (first === undefined) {
    throw new RegctlError("input-invalid", "there is no certificate in this text", {
      hint: "give a PEM file that contains -----BEGIN CERTIFICATE-----",
    });
  }
  return parseCertificate(first);
}

/** One PEM block or DER. Throws `input-invalid` when OpenSSL cannot read it. */
export function parseCertificate(certificate: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new RegctlError("input-invalid", "the certificate cannot be read", {
      hint: "check it with: openssl x509 -noout -text -in FILE",
      cause,
    });
  }
}
