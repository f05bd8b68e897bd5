import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type CertificateFields, EXTENDED_KEY_USAGE, readFields } from "./certificate-fields.ts";
import { hasSignatureOf, isSelfSigned } from "./chain.ts";
import { oneLine } from "./describe.ts";
import { errorFinding, type Finding, infoFinding, warningFinding } from "./finding.ts";
import { lintKey } from "./lint-key.ts";
import { readCertificate } from "./pem.ts";

/** Apple refuses TLS certificates that live longer, private issuers included (support.apple.com/HT210176). */
const MAX_LEAF_DAYS = 825;
const DAY_MS = 86_400_000;
const MAX_SERIAL_OCTETS = 20;
const REISSUE = "have it issued again, for use as a TLS server";
const OTHER_CA = "give the CA that signed the certificate, or have it issued again";
const REAL_CA = "use a proper CA certificate, or let regctl make one";

/**
 * What the strictest clients would say of a server certificate and the CA that should have signed it: Go (docker,
 * podman), OpenSSL (curl, Node), OpenSSL strict (Python >= 3.13), Apple. `error`: docker or curl refuses;
 * `warning`: only a stricter one does. Dates and host names are not looked at. Throws `input-invalid` on non-certificates.
 */
export function lintPair(leaf: string | X509Certificate, authority?: string | X509Certificate): Finding[] {
  const certificate = readCertificate(leaf);
  const findings = lintLeaf(certificate);
  if (authority === undefined) return findings;
  const issuer = readCertificate(authority);
  return [...findings, ...lintAuthority(issuer), ...lintLink(certificate, issuer)];
}

/** The server certificate alone. */
export function lintLeaf(certificate: X509Certificate): Finding[] {
  const fields = readFields(certificate);
  const name = `the certificate ${oneLine(certificate.subject)}`;
  const findings: Finding[] = [
    ...lintSerial(fields, name),
    ...lintKey(certificate, name),
    ...lintSignature(fields, name),
  ];
  const sans = fields.subjectAltName;
  if (sans === undefined || sans.dns.length + sans.ips.length === 0) {
    findings.push(
      errorFinding("NO_SAN", `${name} names no host in subjectAltName; docker and podman ignore the CN`, REISSUE),
    );
  }
  for (const address of sans?.dns.filter((value) => isIP(value) !== 0) ?? []) {
    findings.push(
      warningFinding("IP_AS_DNS", `${name} lists the address ${address} as a DNS name, which no client matches`),
    );
  }
  if (sans !== undefined && fields.subjectIsEmpty && !sans.critical) {
    findings.push(
      warningFinding("SAN_NOT_CRITICAL", `${name} has an empty subject, so subjectAltName has to be critical`),
    );
  }
  findings.push(...lintLeafUsage(fields, name));
  if (fields.version === 3 && fields.authorityKeyId === undefined && !isSelfSigned(certificate)) {
    findings.push(warningFinding("AKI_MISSING", `${name} has no authority key identifier; Python >= 3.13 refuses it`));
  }
  if (fields.authorityKeyId?.critical === true || fields.subjectKeyId?.critical === true) {
    findings.push(
      warningFinding("KEY_ID_CRITICAL", `${name} marks a key identifier critical; Python >= 3.13 refuses it`),
    );
  }
  const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY_MS;
  if (days > MAX_LEAF_DAYS) {
    const message = `${name} is valid for ${Math.floor(days)} days; Apple clients refuse more than ${MAX_LEAF_DAYS}`;
    findings.push(warningFinding("LIFETIME_TOO_LONG", message));
  }
  return findings;
}

/** The CA certificate alone, as a trust anchor or an intermediate. */
export function lintAuthority(certificate: X509Certificate): Finding[] {
  const fields = readFields(certificate);
  const name = `the CA ${oneLine(certificate.subject)}`;
  const findings: Finding[] = [...lintSerial(fields, name), ...lintKey(certificate, name)];
  // Nobody verifies the signature a root makes on itself.
  if (!isSelfSigned(certificate)) findings.push(...lintSignature(fields, name));
  const constraints = fields.basicConstraints;
  if (constraints?.ca !== true) {
    findings.push(errorFinding("CA_NOT_CA", `${name} is no CA: basicConstraints does not say CA:TRUE`, REAL_CA));
  } else if (!constraints.critical) {
    findings.push(
      warningFinding(
        "CA_CONSTRAINTS_NOT_CRITICAL",
        `${name}: basicConstraints is not critical; Python >= 3.13 refuses it`,
      ),
    );
  }
  if (fields.keyUsage === undefined) {
    findings.push(warningFinding("CA_KEY_USAGE_MISSING", `${name} has no keyUsage; Python >= 3.13 refuses it`));
  } else if (!fields.keyUsage.usages.includes("keyCertSign")) {
    findings.push(
      errorFinding("CA_KEY_USAGE", `${name} may not sign certificates: keyUsage lacks keyCertSign`, REAL_CA),
    );
  }
  if (fields.subjectKeyId === undefined) {
    findings.push(warningFinding("CA_SKI_MISSING", `${name} has no subject key identifier; Python >= 3.13 refuses it`));
  }
  return findings;
}

/** Whether the two belong together. */
export function lintLink(certificate: X509Certificate, issuer: X509Certificate): Finding[] {
  const name = oneLine(certificate.subject);
  if (!hasSignatureOf(certificate, issuer)) {
    return [errorFinding("NOT_ISSUED", `${oneLine(issuer.subject)} did not sign the certificate ${name}`, OTHER_CA)];
  }
  const findings: Finding[] = [];
  const expected = readFields(issuer).subjectKeyId?.id;
  const keyId = readFields(certificate).authorityKeyId?.keyId;
  if (expected !== undefined && keyId !== undefined && !keyId.equals(expected)) {
    const message = `the certificate ${name} carries another CA's key identifier; curl, Python, Node and Java refuse it`;
    findings.push(errorFinding("AKI_MISMATCH", message, OTHER_CA));
  } else if (certificate.issuer !== issuer.subject) {
    findings.push(
      errorFinding("ISSUER_NAME", `the certificate ${name} names another issuer than the CA that signed it`, OTHER_CA),
    );
  }
  if (Date.parse(certificate.validTo) > Date.parse(issuer.validTo)) {
    findings.push(
      infoFinding("OUTLIVES_CA", `the certificate ${name} outlives its CA, which ends on ${issuer.validTo}`),
    );
  }
  return findings;
}

function lintLeafUsage(fields: CertificateFields, name: string): Finding[] {
  const findings: Finding[] = [];
  const purposes = fields.extendedKeyUsage?.oids;
  if (purposes === undefined) {
    findings.push(warningFinding("EKU_MISSING", `${name} has no extended key usage; Apple clients require serverAuth`));
  } else if (!purposes.includes(EXTENDED_KEY_USAGE.serverAuth) && !purposes.includes(EXTENDED_KEY_USAGE.any)) {
    findings.push(
      errorFinding(
        "EKU_NOT_SERVERAUTH",
        `${name} is not for servers: its extended key usage lacks serverAuth`,
        REISSUE,
      ),
    );
  }
  const usages = fields.keyUsage?.usages;
  const forTls =
    usages?.some((usage) => ["digitalSignature", "keyEncipherment", "keyAgreement"].includes(usage)) ?? true;
  if (!forTls) {
    findings.push(errorFinding("KEY_USAGE", `${name} is not for TLS: its key usage lacks digitalSignature`, REISSUE));
  } else if (usages?.includes("digitalSignature") === false) {
    findings.push(
      warningFinding("KEY_USAGE_LEGACY", `${name} lacks the key usage digitalSignature, which TLS 1.3 needs`),
    );
  }
  if (fields.basicConstraints?.ca === true) {
    findings.push(
      warningFinding("LEAF_IS_CA", `${name} is a CA itself; whoever trusts it trusts everything its key signs`),
    );
  } else if (usages?.includes("keyCertSign") === true) {
    findings.push(
      warningFinding("KEY_USAGE_NOT_CA", `${name} may sign certificates without being a CA; Python >= 3.13 refuses it`),
    );
  }
  return findings;
}

function lintSerial(fields: CertificateFields, name: string): Finding[] {
  const [first = 0] = fields.serial;
  if (first >= 0x80) {
    return [
      errorFinding(
        "NEGATIVE_SERIAL",
        `${name} has a negative serial number; docker and podman of today refuse it`,
        REISSUE,
      ),
    ];
  }
  const tooLong = fields.serial.length > MAX_SERIAL_OCTETS;
  return tooLong || fields.serial.every((byte) => byte === 0)
    ? [
        warningFinding(
          "SERIAL_FORM",
          `${name} has a serial number that is zero or longer than ${MAX_SERIAL_OCTETS} octets`,
        ),
      ]
    : [];
}

function lintSignature(fields: CertificateFields, name: string): Finding[] {
  return /sha1|md5/i.test(fields.signatureAlgorithm)
    ? [
        errorFinding(
          "WEAK_SIGNATURE",
          `${name} is signed with ${fields.signatureAlgorithm}, which clients refuse`,
          REISSUE,
        ),
      ]
    : [];
}
