import type { X509Certificate } from "node:crypto";

/** Whether `issuer` signed `certificate`: names, key identifiers and key usage agree and the signature verifies. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && hasSignatureOf(certificate, issuer);
}

/** Whether the signature verifies with the issuer's key, whatever the names and identifiers say. */
export function hasSignatureOf(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // OpenSSL throws instead of saying no when the key is of a kind it cannot load.
    return false;
  }
}

/** Whether a certificate is signed by its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  // Not isIssuedBy: a self-signed leaf without keyCertSign is no issuer, yet signed by itself.
  return certificate.subject === certificate.issuer && hasSignatureOf(certificate, certificate);
}

/** Whether two objects hold the same certificate. */
export function isSame(a: X509Certificate, b: X509Certificate): boolean {
  return a.fingerprint256 === b.fingerprint256;
}

/**
 * From the leaf up through `pool`, each signing the one before, the self-signed top included if the pool has it.
 * Of several issuers the one that lives longest is taken (a renewed CA keeps its key). Ends where no issuer is found;
 * never visits a certificate twice.
 */
export function buildChain(leaf: X509Certificate, pool: readonly X509Certificate[]): X509Certificate[] {
  const longestFirst = [...pool].sort((a, b) => Date.parse(b.validTo) - Date.parse(a.validTo));
  const chain = [leaf];
  for (let current = leaf; !isSelfSigned(current); ) {
    const issuer = longestFirst.find(
      (candidate) => !chain.some((link) => isSame(link, candidate)) && isIssuedBy(current, candidate),
    );
    if (issuer === undefined) break;
    chain.push(issuer);
    current = issuer;
  }
  return chain;
}
