/** The authorities this machine's programs trust by themselves. */
import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";

/** Where distributions keep the bundle; the list of Go's crypto/x509, which docker goes by. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** PEM texts: the system's bundle, or the list that comes with Node where there is none. */
export async function systemRoots(): Promise<readonly string[]> {
  for (const path of BUNDLES) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return [text];
  }
  return rootCertificates;
}
