import { type KeyObject, sign } from "node:crypto";
import forge from "node-forge";
import { toPem } from "./pem.ts";
import { newSerial } from "./serial.ts";

/** What a new certificate says; forge's names for the extensions. */
export interface CertificateSpec {
  readonly commonName: string;
  /** DER of a Name to take over octet by octet, in place of `O=regctl` and the common name. */
  readonly subjectName?: Buffer;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly object[];
  /** DER of the issuer's Name, taken over octet by octet; undefined for a self-signed certificate. */
  readonly issuerName: Buffer | undefined;
  /** RSA or EC. */
  readonly signingKey: KeyObject;
}

const SHA256_WITH = { rsa: "1.2.840.113549.1.1.11", ec: "1.2.840.10045.4.3.2" } as const;
/** Places in TBSCertificate, RFC 5280 §4.1. */
const TBS = { signature: 2, issuer: 3, subject: 5 } as const;

/**
 * Builds and signs a version 3 certificate for an RSA key; PEM with LF. forge lays out the structure and node:crypto
 * signs it: forge knows no EC keys, and this way no private key leaves node:crypto.
 */
export function buildCertificate(spec: CertificateSpec): string {
  const { asn1, pki } = forge;
  const isEc = spec.signingKey.asymmetricKeyType === "ec";
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(spec.publicKey.export({ type: "spki", format: "pem" }).toString());
  certificate.serialNumber = newSerial();
  certificate.validity.notBefore = spec.notBefore;
  certificate.validity.notAfter = spec.notAfter;
  certificate.setSubject([
    { name: "organizationName", value: "regctl" },
    // Not the default PrintableString, which has no place for the * and _ of host names.
    { name: "commonName", value: spec.commonName, valueTagClass: asn1.Type.UTF8 as unknown as forge.asn1.Class },
  ]);
  certificate.setExtensions([...spec.extensions]);
  certificate.siginfo.algorithmOid = isEc ? SHA256_WITH.ec : SHA256_WITH.rsa;
  certificate.signatureOid = certificate.siginfo.algorithmOid;
  certificate.signature = "";

  const whole = pki.certificateToAsn1(certificate);
  const [tbs, algorithm, signature] = childrenOf(whole);
  const parts = childrenOf(tbs);
  if (isEc) {
    // RFC 5758 §3.2: ECDSA has no parameters, where forge always writes NULL.
    childrenOf(algorithm).pop();
    childrenOf(parts[TBS.signature]).pop();
  }
  const written = parts[TBS.subject];
  if (tbs === undefined || signature === undefined || written === undefined)
    throw new Error("forge built no certificate");
  const subject = spec.subjectName === undefined ? written : asn1.fromDer(spec.subjectName.toString("binary"));
  parts[TBS.subject] = subject;
  parts[TBS.issuer] = spec.issuerName === undefined ? subject : asn1.fromDer(spec.issuerName.toString("binary"));

  const signed = sign("sha256", Buffer.from(asn1.toDer(tbs).getBytes(), "binary"), spec.signingKey);
  signature.value = `\0${signed.toString("binary")}`;
  return toPem("CERTIFICATE", Buffer.from(asn1.toDer(whole).getBytes(), "binary"));
}

function childrenOf(element: forge.asn1.Asn1 | undefined): forge.asn1.Asn1[] {
  return Array.isArray(element?.value) ? element.value : [];
}
