/** What will go wrong with certificates and when, for people and timers that look at `status`. */
import type { Config } from "../config/config.ts";
import { type CertificateInfo, describeCertificate } from "../pki/describe.ts";
import { warnBelowDays } from "../pki/lifetime.ts";
import { splitPem } from "../pki/pem.ts";
import { FILES } from "../project/paths.ts";
import type { CertificateFiles } from "./certificates.ts";

export interface Outlook {
  /** Clients are refused: expired, or not valid yet. */
  readonly problems: readonly string[];
  /** Will be refused within 30 days, and what to do about it. */
  readonly warnings: readonly string[];
  /** Good to know, and no reason to act today. */
  readonly notes: readonly string[];
  /** ca.key is missing beside an authority of regctl's own. */
  readonly authorityKeyIsLost: boolean;
}

/** A new authority takes long to reach every client. */
const AUTHORITY_NOTICE_DAYS = 365;

interface Watched {
  readonly info: CertificateInfo;
  /** How messages call it. */
  readonly name: string;
  readonly fix: string;
}

function watched(config: Config, { certificatePem, authorityPem }: CertificateFiles, now: Date): Watched[] {
  const isOurs = config.tls.mode === "own-ca";
  const infos = splitPem(certificatePem ?? "").map((pem) => describeCertificate(pem, now));
  const authority = authorityPem === undefined ? undefined : describeCertificate(authorityPem, now);
  const again = "get a new one from its issuer, then: regctl certs import CERTIFICATE --key KEY";
  const named = infos.map((info, index): Watched => {
    if (index > 0) return { info, name: `the intermediate certificate ${info.subject}`, fix: again };
    // Renewed under an authority that ends no later, it would end with it again.
    const isCut = authority !== undefined && authority.notAfter <= info.notAfter;
    const fix = isCut ? "its authority ends with it: every client needs a new one" : "regctl certs renew";
    return { info, name: "the certificate", fix: isOurs ? fix : again };
  });
  if (authority === undefined || infos.some(({ sha256 }) => sha256 === authority.sha256)) return named;
  const fix = isOurs ? "every client needs a new authority before that day" : again;
  return [...named, { info: authority, name: `the authority ${authority.subject}`, fix }];
}

/** What a text of certificates says of the days to come; files that cannot be read are for the plan to report. */
export function certificateOutlook(config: Config, files: CertificateFiles, now: Date): Outlook {
  if (config.tls.mode === "none" || files.certificatePem === undefined)
    return { problems: [], warnings: [], notes: [], authorityKeyIsLost: false };
  const problems: string[] = [];
  const warnings: string[] = [];
  const notes: string[] = [];
  for (const { info, name, fix } of watched(config, files, now)) {
    const { soon, urgent } = warnBelowDays(info);
    const left = (Date.parse(info.notAfter) - now.getTime()) / 86_400_000;
    const days = `${info.daysLeft} ${info.daysLeft === 1 ? "day" : "days"}`;
    if (left <= 0) problems.push(`${name} is expired since ${info.notAfter}: ${fix}`);
    else if (now.getTime() < Date.parse(info.notBefore))
      problems.push(`${name} is not valid before ${info.notBefore}: check this machine's clock (date)`);
    else if (left < urgent) warnings.push(`URGENT: ${name} expires in ${days}, on ${info.notAfter}: ${fix}`);
    else if (left < soon) warnings.push(`${name} expires in ${days}, on ${info.notAfter}: ${fix}`);
    else if (info.isCa && left < AUTHORITY_NOTICE_DAYS)
      notes.push(`${name} ends in ${days}, on ${info.notAfter}: ${fix}`);
  }
  const authorityKeyIsLost =
    config.tls.mode === "own-ca" && files.authorityKeyPem === undefined && files.authorityPem !== undefined;
  if (authorityKeyIsLost) {
    notes.push(
      `${FILES.authorityKey} is missing: the registry serves on, but its certificate cannot be renewed; put it back from a backup`,
    );
  }
  return { problems, warnings, notes, authorityKeyIsLost };
}
