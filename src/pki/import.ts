import type { KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { RegctlError } from "../errors.ts";
import { Secret } from "../secret.ts";
import { type Bundle, readBundle, unique } from "./bundle.ts";
import { readFields } from "./certificate-fields.ts";
import { isSame, isSelfSigned } from "./chain.ts";
import { checkDates } from "./dates.ts";
import { oneLine } from "./describe.ts";
import { errorFinding, type Finding, infoFinding, warningFinding } from "./finding.ts";
import { coversHost } from "./host-match.ts";
import { lintLeaf } from "./lint.ts";
import { parseCertificate, splitPem, toPem } from "./pem.ts";
import { readPrivateKey } from "./private-key.ts";
import type { Host } from "./san.ts";
import { findTrustPath } from "./trust-path.ts";

export interface ProvidedCertificate {
  /** The leaf, alone or in a bundle: PEM, DER or PKCS#12. */
  readonly certificate: Buffer | string;
  /** PEM or DER; may be left out when the certificate's file holds the key. */
  readonly key?: Buffer | string | undefined;
  /** Intermediates, and the CA itself when it is not a public one. */
  readonly chain?: Buffer | string | undefined;
  /** The CA that clients trust, when it is not a public one; PEM or DER. */
  readonly authority?: Buffer | string | undefined;
  /** Of the key or the PKCS#12. */
  readonly passphrase?: Secret | undefined;
  readonly hosts: readonly Host[];
  readonly now: Date;
  /** PEM of CAs known from elsewhere that may complete the path. */
  readonly extraAuthorities?: readonly string[] | undefined;
  /** PEM of the CAs every client trusts; Node's list unless given. */
  readonly publicRoots?: readonly string[] | undefined;
}

export interface AcceptedCertificate {
  /** The leaf, then its intermediates, no root; LF. */
  readonly certificatePem: string;
  /** PKCS#8, unencrypted. */
  readonly keyPem: Secret;
  /** What clients have to trust; undefined when a public CA issued the certificate. */
  readonly authorityPem: string | undefined;
  /** Warnings and notes. */
  readonly findings: readonly Finding[];
}

interface Choice {
  readonly leaf: X509Certificate | undefined;
  readonly findings: readonly Finding[];
}

const NAMES_SHOWN = 3;

/**
 * Checks a certificate obtained elsewhere before a registry serves it, and puts it in the one form every server and
 * client understands. Throws `input-invalid` with all problems at once: `issues[].path` is the finding's code,
 * `details.findings` the whole list.
 */
export async function checkProvided(provided: ProvidedCertificate): Promise<AcceptedCertificate> {
  const bundle = await readBundle(provided.certificate, provided.passphrase, "certificate");
  const extra = await readFurther(provided.chain, provided.passphrase, "chain");
  const authority = await readFurther(provided.authority, provided.passphrase, "CA");
  const key = await chooseKey(provided, bundle);
  const given = unique([...bundle.certificates, ...extra.certificates, ...authority.certificates]);
  const choice = chooseLeaf(given, "key" in key ? key.key : undefined);
  const findings: Finding[] = [...[bundle, extra, authority].flatMap(aboutCertificates), ...choice.findings];
  if ("code" in key && !findings.some((finding) => finding.code === key.code)) findings.push(key);
  if (choice.leaf === undefined) throw refusal(findings);

  const { leaf } = choice;
  const known = (provided.extraAuthorities ?? []).flatMap((pem) => splitPem(pem)).map((pem) => parseCertificate(pem));
  const path = findTrustPath({
    leaf,
    pool: unique([...given.filter((one) => one !== leaf), ...known]),
    ...(provided.publicRoots === undefined ? {} : { publicRoots: provided.publicRoots }),
  });
  const used = path.anchor === undefined ? path.sent : unique([...path.sent, path.anchor]);
  const certificatePem = path.sent.map((one) => toPem("CERTIFICATE", one.raw)).join("");
  findings.push(
    ...path.findings,
    ...checkOrder(given, used),
    ...checkLeftovers(given, used),
    ...used.flatMap((one) => checkDates(one, provided.now)),
    ...lintLeaf(leaf),
    ...checkHosts(leaf, provided.hosts),
  );
  if (!("key" in key)) throw refusal(findings);
  const keyPem = key.key.export({ type: "pkcs8", format: "pem" }).toString();
  if (!hasErrors(findings)) findings.push(...checkLoads(certificatePem, keyPem));
  if (hasErrors(findings)) throw refusal(findings);
  return {
    certificatePem,
    keyPem: new Secret(keyPem),
    authorityPem: path.anchor === undefined ? undefined : toPem("CERTIFICATE", path.anchor.raw),
    findings,
  };
}

/** A key nobody asked for, beside certificates that could be read, is no problem. */
function aboutCertificates(bundle: Bundle): Finding[] {
  return bundle.findings.filter((finding) => bundle.certificates.length === 0 || !finding.code.startsWith("KEY_"));
}

async function readFurther(
  data: Buffer | string | undefined,
  passphrase: Secret | undefined,
  what: string,
): Promise<Bundle> {
  return data === undefined ? { certificates: [], findings: [] } : readBundle(data, passphrase, what);
}

async function chooseKey(provided: ProvidedCertificate, bundle: Bundle): Promise<{ key: KeyObject } | Finding> {
  if (provided.key === undefined) {
    const locked = bundle.findings.find((finding) => finding.code.startsWith("KEY_"));
    if (bundle.key !== undefined) return { key: bundle.key };
    return locked ?? errorFinding("KEY_MISSING", "there is no private key", "give the key's file too");
  }
  const read = readPrivateKey(provided.key, provided.passphrase);
  if ("key" in read || typeof provided.key === "string" || read.code !== "KEY_UNREADABLE") return read;
  const container = await readBundle(provided.key, provided.passphrase, "key");
  if (container.key !== undefined) return { key: container.key };
  return container.findings.find((finding) => finding.code.startsWith("KEY_")) ?? read;
}

function chooseLeaf(given: readonly X509Certificate[], key: KeyObject | undefined): Choice {
  const isAuthority = (one: X509Certificate) => readFields(one).basicConstraints?.ca === true;
  const likely = given.find((one) => !isAuthority(one));
  if (key === undefined) return { leaf: likely ?? given[0], findings: [] };
  const matching = given.filter((one) => one.checkPrivateKey(key));
  const match = matching.find((one) => !isAuthority(one)) ?? matching[0];
  if (match === undefined) {
    const message = "the private key belongs to none of the certificates";
    const findings =
      given.length === 0
        ? []
        : [errorFinding("KEY_MISMATCH", message, "give the key this certificate was requested with")];
    return { leaf: likely ?? given[0], findings };
  }
  if (!isAuthority(match)) return { leaf: match, findings: [] };
  const ownAnchor = likely === undefined && isSelfSigned(match) && match.subjectAltName !== undefined;
  if (ownAnchor) return { leaf: match, findings: [] };
  const message = `the private key belongs to the CA ${oneLine(match.subject)}, not to a server certificate`;
  const hint = "give the server certificate and its own key; the CA's key stays with the CA";
  return { leaf: likely, findings: [errorFinding("KEY_BELONGS_TO_CA", message, hint)] };
}

function checkOrder(given: readonly X509Certificate[], used: readonly X509Certificate[]): Finding[] {
  const places = given.map((one) => used.findIndex((other) => isSame(one, other))).filter((place) => place >= 0);
  const ordered = places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0));
  return ordered
    ? []
    : [infoFinding("ORDER", "the certificates were put in order: the server's first, then its issuers")];
}

function checkLeftovers(given: readonly X509Certificate[], used: readonly X509Certificate[]): Finding[] {
  const isUsed = (one: X509Certificate) => used.some((other) => isSame(one, other));
  const sentTop = used.at(-1);
  const isRoot = (one: X509Certificate) => isSelfSigned(one) && sentTop !== undefined && one.subject === sentTop.issuer;
  const roots = given.filter((one) => one !== used[0] && isRoot(one));
  const unrelated = given.filter((one) => !isUsed(one) && !isRoot(one));
  const names = unrelated
    .slice(0, NAMES_SHOWN)
    .map((one) => oneLine(one.subject))
    .join("; ");
  const more = unrelated.length > NAMES_SHOWN ? ` and ${unrelated.length - NAMES_SHOWN} more` : "";
  return [
    ...roots.map((one) =>
      infoFinding("ROOT_DROPPED", `the root ${oneLine(one.subject)} is not sent: clients need it in their trust store`),
    ),
    ...(unrelated.length === 0
      ? []
      : [warningFinding("UNRELATED_CERTS", `not part of the chain and left out: ${names}${more}`)]),
  ];
}

function checkHosts(leaf: X509Certificate, hosts: readonly Host[]): Finding[] {
  const sans = readFields(leaf).subjectAltName;
  if (sans === undefined) return [];
  const covered = [...sans.dns, ...sans.ips].join(", ");
  return hosts
    .filter((host) => !coversHost(leaf, host))
    .map(({ value }) => {
      const message = `the certificate does not cover ${value}; it covers ${covered === "" ? "nothing" : covered}${nearMiss(leaf, value, sans.dns)}`;
      return errorFinding(
        "SAN_MISSING_HOST",
        message,
        "get a certificate for this name, or use only names it covers: domain and san in regctl.yaml",
      );
    });
}

/** Why a name that looks covered is not. */
function nearMiss(leaf: X509Certificate, host: string, names: readonly string[]): string {
  const wildcard = names.find((name) => name.startsWith("*.") && `.${host}`.endsWith(name.slice(1)));
  if (wildcard !== undefined) return `, and the * of ${wildcard} stands for exactly one label`;
  return leaf.subject.split("\n").includes(`CN=${host}`) ? "; its common name (CN) does not count" : "";
}

function checkLoads(cert: string, key: string): Finding[] {
  try {
    createSecureContext({ cert, key });
    return [];
  } catch {
    const hint = "check both with: openssl s_server -accept 0 -cert CERT -key KEY";
    return [errorFinding("TLS_LOAD", "OpenSSL cannot serve TLS with this certificate and key", hint)];
  }
}

function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === "error");
}

function refusal(findings: readonly Finding[]): RegctlError {
  const errors = findings.filter((finding) => finding.severity === "error");
  const [first] = errors;
  const message =
    errors.length === 1 && first !== undefined
      ? first.message
      : `${errors.length} problems: the certificate cannot be used`;
  return new RegctlError("input-invalid", message, {
    hint: first?.hint,
    details: { findings },
    issues: errors.map(({ code, message, hint }) => ({ path: code, message, ...(hint === undefined ? {} : { hint }) })),
  });
}
