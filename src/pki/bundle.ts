import type { KeyObject, X509Certificate } from "node:crypto";
import { RegctlError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { isSame } from "./chain.ts";
import { errorFinding, type Finding } from "./finding.ts";
import { decodeText, parseCertificate, splitPem, toPem } from "./pem.ts";
import { hasPrivateKey, readPrivateKey } from "./private-key.ts";

/** What one given file holds: certificates in its order and perhaps the key. */
export interface Bundle {
  readonly certificates: readonly X509Certificate[];
  readonly key?: KeyObject;
  readonly findings: readonly Finding[];
}

/** Reads PEM (any number, any noise), DER or PKCS#12; `what` is how messages call the file. Loads node-forge for PKCS#12 only. */
export async function readBundle(data: Buffer | string, passphrase: Secret | undefined, what: string): Promise<Bundle> {
  if (data.length === 0) {
    return failed(
      "CERTIFICATE_EMPTY",
      `the ${what} file is empty`,
      "give a file with PEM, DER or PKCS#12 certificates",
    );
  }
  const text = decodeText(data);
  if (typeof data === "string" || text.includes("-----BEGIN ")) return readPemBundle(text, passphrase, what);
  try {
    return { certificates: [parseCertificate(data)], findings: [] };
  } catch {
    return readContainer(data, passphrase, what);
  }
}

/** The same certificates without repetitions. */
export function unique(certificates: readonly X509Certificate[]): X509Certificate[] {
  return certificates.filter((one, index) => certificates.findIndex((other) => isSame(one, other)) === index);
}

function readPemBundle(text: string, passphrase: Secret | undefined, what: string): Bundle {
  let certificates: X509Certificate[];
  try {
    certificates = splitPem(text).map((pem) => parseCertificate(pem));
  } catch (error) {
    if (!(error instanceof RegctlError)) throw error;
    return failed(
      "CERTIFICATE_UNREADABLE",
      `a certificate in the ${what} file is damaged`,
      "copy the file again, whole",
    );
  }
  const inside = hasPrivateKey(text) ? readPrivateKey(text, passphrase) : undefined;
  if (certificates.length === 0) {
    const [message, hint] =
      inside === undefined
        ? [`the ${what} file holds no certificate`, "give a file that contains -----BEGIN CERTIFICATE-----"]
        : [`the ${what} file holds a private key and no certificate`, "give the certificate's file"];
    return failed("CERTIFICATE_UNREADABLE", message, hint);
  }
  if (inside === undefined) return { certificates, findings: [] };
  return "key" in inside ? { certificates, key: inside.key, findings: [] } : { certificates, findings: [inside] };
}

async function readContainer(data: Buffer, passphrase: Secret | undefined, what: string): Promise<Bundle> {
  const { isPkcs12, openPkcs12 } = await import("./pkcs12.ts");
  if (!isPkcs12(data)) {
    const hint = "convert it to PEM; a .p7b with: openssl pkcs7 -inform DER -print_certs -in FILE";
    return failed("CERTIFICATE_UNREADABLE", `the ${what} file is neither PEM, DER nor PKCS#12`, hint);
  }
  const contents = openPkcs12(data, passphrase?.reveal() ?? "");
  if (contents === undefined) {
    return passphrase === undefined
      ? failed(
          "KEY_ENCRYPTED_NO_PASSPHRASE",
          `the ${what} file is an encrypted PKCS#12`,
          "give its passphrase as well (`certs import`: --passphrase-file FILE)",
        )
      : failed(
          "KEY_BAD_PASSPHRASE",
          `the passphrase does not open the PKCS#12 ${what} file`,
          "try again with the right one",
        );
  }
  const certificates = contents.certificates.map((der) => parseCertificate(toPem("CERTIFICATE", der)));
  if (certificates.length === 0) {
    return failed(
      "CERTIFICATE_UNREADABLE",
      `the PKCS#12 ${what} file holds no certificate`,
      "export it with its certificates",
    );
  }
  return { certificates, findings: [], ...(contents.key === undefined ? {} : { key: contents.key }) };
}

function failed(code: string, message: string, hint: string): Bundle {
  return { certificates: [], findings: [errorFinding(code, message, hint)] };
}
