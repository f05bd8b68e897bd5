import { createPrivateKey, type KeyObject } from "node:crypto";
import { systemCodeOf } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { readChildren, readElement, TAG } from "./der.ts";
import { errorFinding, type Finding } from "./finding.ts";
import { decodeText } from "./pem.ts";

const KEY_BLOCK = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----[\s\S]*?-----END \1-----/;

/** Whether a text holds a PEM private key of any kind. */
export function hasPrivateKey(text: string): boolean {
  return KEY_BLOCK.test(text);
}

/**
 * Reads a private key, PEM (PKCS#8, PKCS#1, SEC1, anything around it ignored) or DER, encrypted or not. What is wrong
 * with it comes back as a finding, to be listed with the others.
 */
export function readPrivateKey(data: Buffer | string, passphrase: Secret | undefined): { key: KeyObject } | Finding {
  if (data.length === 0)
    return errorFinding("KEY_EMPTY", "the key file is empty", "give the file with the private key");
  const text = decodeText(data);
  const block = KEY_BLOCK.exec(text);
  if (block === null)
    return typeof data === "string" || text.includes("-----BEGIN ") ? notAKey(text) : readDer(data, passphrase);
  const label = block[1] ?? "";
  if (label.startsWith("OPENSSH")) {
    return errorFinding(
      "KEY_UNREADABLE",
      "the key is an OpenSSH key, not a TLS key",
      "give the key the certificate was requested with",
    );
  }
  const pem = block[0]
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .join("\n");
  const encrypted = label.startsWith("ENCRYPTED") || pem.includes("Proc-Type: 4,ENCRYPTED");
  return open({ key: pem, encrypted, passphrase });
}

function readDer(der: Buffer, passphrase: Secret | undefined): { key: KeyObject } | Finding {
  if (isEncryptedPkcs8(der)) return open({ key: der, type: "pkcs8", encrypted: true, passphrase });
  const types = ["pkcs8", "pkcs1", "sec1"] as const;
  const results = types.map((type) => open({ key: der, type, encrypted: false, passphrase }));
  return results.find((result) => "key" in result) ?? notAKey("");
}

interface OpenOptions {
  readonly key: string | Buffer;
  readonly type?: "pkcs8" | "pkcs1" | "sec1";
  readonly encrypted: boolean;
  readonly passphrase: Secret | undefined;
}

function open({ key, type, encrypted, passphrase }: OpenOptions): { key: KeyObject } | Finding {
  const phrase = passphrase?.reveal() ?? "";
  // Asked without a passphrase, Node reports an interrupted prompt: look before asking.
  if (encrypted && phrase === "") {
    return errorFinding(
      "KEY_ENCRYPTED_NO_PASSPHRASE",
      "the private key is encrypted",
      "give its passphrase as well (`certs import`: --passphrase-file FILE)",
    );
  }
  try {
    const format = type === undefined ? { format: "pem" as const } : { format: "der" as const, type };
    return { key: createPrivateKey({ key, ...format, ...(encrypted ? { passphrase: phrase } : {}) }) };
  } catch (error) {
    if (!encrypted) return notAKey("");
    return systemCodeOf(error)?.includes("UNSUPPORTED")
      ? errorFinding(
          "KEY_ENCRYPTION_UNSUPPORTED",
          "the private key is encrypted with an algorithm OpenSSL 3 no longer offers",
          "decrypt it first: openssl pkey -provider legacy -provider default -in KEY -out PLAIN_KEY",
        )
      : errorFinding(
          "KEY_BAD_PASSPHRASE",
          "the passphrase does not open the private key",
          "try again with the right one",
        );
  }
}

function isEncryptedPkcs8(der: Buffer): boolean {
  try {
    const [algorithm, data, ...rest] = readChildren(readElement(der));
    return algorithm?.tag === TAG.sequence && data?.tag === TAG.octetString && rest.length === 0;
  } catch {
    return false;
  }
}

function notAKey(text: string): Finding {
  return text.includes("CERTIFICATE-----")
    ? errorFinding(
        "KEY_UNREADABLE",
        "the key file holds a certificate, not a private key",
        "give the private key's file",
      )
    : errorFinding(
        "KEY_UNREADABLE",
        "the private key cannot be read",
        "check it with: openssl pkey -noout -text -in KEY",
      );
}
