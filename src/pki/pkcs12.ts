import { createPrivateKey, type KeyObject } from "node:crypto";
import forge from "node-forge";
import type { CertifiedKey } from "./authority.ts";

export interface Pkcs12Contents {
  /** DER, in the order of the file. */
  readonly certificates: readonly Buffer[];
  readonly key: KeyObject | undefined;
}

/** Whether forge understands the data as a PKCS#12 container (RFC 7292 §4), opened or not. */
export function isPkcs12(data: Buffer): boolean {
  try {
    const parts = forge.asn1.fromDer(data.toString("binary"), false).value;
    return Array.isArray(parts) && parts[0]?.type === forge.asn1.Type.INTEGER && parts[0].value === "\x03";
  } catch {
    return false;
  }
}

/**
 * Opens a PKCS#12 container, modern or legacy (RC2 and 3DES, which OpenSSL 3 refuses), with RSA or EC keys inside.
 * Undefined when the passphrase does not open it: forge cannot tell a wrong one from damage.
 */
export function openPkcs12(data: Buffer, passphrase: string): Pkcs12Contents | undefined {
  const { asn1, pki } = forge;
  try {
    const container = forge.pkcs12.pkcs12FromAsn1(asn1.fromDer(data.toString("binary"), false), false, passphrase);
    const bags = container.safeContents.flatMap((contents) => contents.safeBags);
    const certificates = bags.filter((bag) => bag.type === pki.oids.certBag);
    const keyBag = bags.find((bag) => bag.type === pki.oids.pkcs8ShroudedKeyBag || bag.type === pki.oids.keyBag);
    return {
      certificates: certificates.map((bag) => toDer(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1)),
      key: keyBag === undefined ? undefined : toKey(keyBag),
    };
  } catch {
    return undefined;
  }
}

/** A client certificate and its key as PKCS#12 (AES-256), for browsers and key stores that take nothing else. RSA only. */
export function makePkcs12(pair: CertifiedKey, friendlyName: string, passphrase: string): Buffer {
  const { pki, pkcs12 } = forge;
  return toDer(
    pkcs12.toPkcs12Asn1(
      pki.privateKeyFromPem(pair.keyPem.reveal()),
      [pki.certificateFromPem(pair.certificatePem)],
      passphrase,
      { algorithm: "aes256", friendlyName },
    ),
  );
}

function toKey(bag: forge.pkcs12.Bag): KeyObject {
  // forge leaves a key it does not know, such as EC, as its PKCS#8 structure.
  return bag.key
    ? createPrivateKey({ key: toDer(forge.pki.privateKeyToAsn1(bag.key)), format: "der", type: "pkcs1" })
    : createPrivateKey({ key: toDer(bag.asn1), format: "der", type: "pkcs8" });
}

function toDer(structure: forge.asn1.Asn1): Buffer {
  return Buffer.from(forge.asn1.toDer(structure).getBytes(), "binary");
}
