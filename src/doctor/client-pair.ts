/** What is wrong with a client certificate of this machine's certs.d, before it is shown to anybody. */
import { X509Certificate } from "node:crypto";
import { EXTENDED_KEY_USAGE, readFields } from "../pki/certificate-fields.ts";
import { readPrivateKey } from "../pki/private-key.ts";
import type { TrustPair } from "../probe/client-files.ts";
import type { ClientPair } from "../probe/http.ts";

/** Either what can be shown, or why clients cannot load it. */
export function loadPair({ certificatePem, keyPem }: TrustPair): ClientPair | string {
  if (certificatePem === undefined) return "the certificate may not be read by you";
  if (keyPem === undefined) return "the key may not be read by you";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    return "the certificate is not PEM";
  }
  const opened = readPrivateKey(keyPem.reveal(), undefined);
  if (!("key" in opened)) return opened.message;
  if (!certificate.checkPrivateKey(opened.key)) return "the key is another certificate's";
  return { certificatePem, keyPem };
}

/** Why a registry refuses one that can be loaded, as far as it shows; undefined = by no fault of its own. */
export function refusalReason(certificatePem: string, now: Date): string | undefined {
  const certificate = new X509Certificate(certificatePem);
  if (now.getTime() > Date.parse(certificate.validTo)) return `it expired on ${certificate.validTo}`;
  if (now.getTime() < Date.parse(certificate.validFrom)) return `it is not valid before ${certificate.validFrom}`;
  const purposes = readFields(certificate).extendedKeyUsage?.oids;
  const isForClients =
    purposes === undefined ||
    [EXTENDED_KEY_USAGE.clientAuth, EXTENDED_KEY_USAGE.any].some((one) => purposes.includes(one));
  return isForClients ? undefined : "it is not for clients: its extended key usage lacks clientAuth";
}
