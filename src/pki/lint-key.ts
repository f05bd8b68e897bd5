import type { X509Certificate } from "node:crypto";
import { errorFinding, type Finding, warningFinding } from "./finding.ts";
import { keyBits, publicKeyOf } from "./public-key.ts";

const MIN_RSA_BITS = 2048;
const REISSUE = "have it issued again for a new key: RSA of 2048 bits or more, or EC on P-256";
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** Whether clients accept the kind and size of a certificate's key; `name` is how messages call the certificate. */
export function lintKey(certificate: X509Certificate, name: string): Finding[] {
  const key = publicKeyOf(certificate);
  switch (key?.asymmetricKeyType) {
    case "rsa": {
      const bits = keyBits(key) ?? 0;
      return bits < MIN_RSA_BITS
        ? [
            errorFinding(
              "WEAK_KEY",
              `${name} has an RSA key of ${bits} bits; clients refuse less than ${MIN_RSA_BITS}`,
              REISSUE,
            ),
          ]
        : [];
    }
    case "ec": {
      const curve = key.asymmetricKeyDetails?.namedCurve ?? "unnamed";
      return CURVES.includes(curve)
        ? []
        : [
            errorFinding(
              "KEY_TYPE",
              `${name} has a key on the curve ${curve}; docker and podman know P-256, P-384 and P-521`,
              REISSUE,
            ),
          ];
    }
    case "ed25519":
      return [warningFinding("KEY_TYPE", `${name} has an Ed25519 key, which browsers and older clients do not know`)];
    default: {
      const kind = key?.asymmetricKeyType ?? "unknown";
      return [errorFinding("KEY_TYPE", `${name} has a key of the kind ${kind}; clients know RSA and EC keys`, REISSUE)];
    }
  }
}
