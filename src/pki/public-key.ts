import type { KeyObject, X509Certificate } from "node:crypto";

const CURVE_BITS: Readonly<Record<string, number>> = {
  secp224r1: 224,
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
};

/** A certificate's key, or undefined when it is of a kind OpenSSL cannot load. */
export function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

/** RSA modulus or curve size in bits, undefined for other kinds. */
export function keyBits(key: KeyObject | undefined): number | undefined {
  const details = key?.asymmetricKeyDetails;
  return details?.modulusLength ?? CURVE_BITS[details?.namedCurve ?? ""];
}
