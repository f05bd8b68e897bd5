/** What will go wrong with certificates and when, for people and timers that look at `status`. */
import type { Config } from "../config/config.ts";
import { type CertificateInfo, describeCertificate } from "../pki/describe.ts";
import { warnBelowDays } from "../pki/lifetime.ts";
import { splitPem } from "../pki/pem.ts";
import { FILES } from "../project/paths.ts";
import type { CertificateFiles } from "./certificates.ts";
import { type RolloverState, rolloverOf } from "./rollover-state.ts";

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
const ROLLOVER = "change over to a new authority, which clients do not notice: regctl certs rollover";

interface Watched {
  readonly info: CertificateInfo;
  /** How messages call it. */
  readonly name: string;
  readonly fix: string;
}

function watched(config: Config, { certificatePem, authorityPem }: CertificateFiles, now: Date): Watched[] {
  const isOurs = config.tls.mode === "own-ca";
  const served = splitPem(certificatePem ?? "").map((pem) => describeCertificate(pem, now));
  // Behind a leaf of our own there is only the cross certificate of a rollover, whose note tells when it ends.
  const infos = isOurs ? served.slice(0, 1) : served;
  const authority = authorityPem === undefined ? undefined : describeCertificate(authorityPem, now);
  const again = "get a new one from its issuer, then: regctl certs import CERTIFICATE --key KEY";
  const named = infos.map((info, index): Watched => {
    if (index > 0) return { info, name: `the intermediate certificate ${info.subject}`, fix: again };
    // Renewed under an authority that ends no later, it would end with it again.
    const isCut = authority !== undefined && authority.notAfter <= info.notAfter;
    const fix = isCut ? `its authority ends with it: ${ROLLOVER}` : "regctl certs renew";
    return { info, name: "the certificate", fix: isOurs ? fix : again };
  });
  if (authority === undefined || infos.some(({ sha256 }) => sha256 === authority.sha256)) return named;
  const fix = isOurs ? ROLLOVER : again;
  return [...named, { info: authority, name: `the authority ${authority.subject}`, fix }];
}

function rolloverNote({ kind, since, previousEnds }: RolloverState): string {
  const day = (time: string): string => time.slice(0, 10);
  return kind === "cross-signed"
    ? `CA rollover since ${day(since)}: give the new CA to every client, then \`regctl certs rollover --finish\`; clients with the old one alone work until then, and no longer than ${day(previousEnds)}`
    : `CA rollover since ${day(since)}: give both CAs to every client (\`regctl certs ca\`), then \`regctl certs rollover --finish\`; the old one ends ${day(previousEnds)}`;
}

const NOTHING: Outlook = { problems: [], warnings: [], notes: [], authorityKeyIsLost: false };

/** What the certificates of a deployment say of the days to come; files that cannot be read are for the plan to report. */
export async function certificateOutlook(config: Config, files: CertificateFiles, now: Date): Promise<Outlook> {
  try {
    return outlook(config, files, await rolloverOf(files, now), now);
  } catch {
    return NOTHING;
  }
}

function outlook(config: Config, files: CertificateFiles, rollover: RolloverState | undefined, now: Date): Outlook {
  if (config.tls.mode === "none" || files.certificatePem === undefined) return NOTHING;
  const problems: string[] = [];
  const warnings: string[] = [];
  const notes: string[] = rollover === undefined ? [] : [rolloverNote(rollover)];
  for (const { info, name, fix } of watched(config, files, now)) {
    const { soon, urgent } = warnBelowDays(info);
    const left = (Date.parse(info.notAfter) - now.getTime()) / 86_400_000;
    const days = `${info.daysLeft} ${info.daysLeft === 1 ? "day" : "days"}`;
    if (left <= 0) problems.push(`${name} is expired since ${info.notAfter}: ${fix}`);
    else if (now.getTime() < Date.parse(info.notBefore))
      problems.push(`${name} is not valid before ${info.notBefore}: check this machine's clock (date)`);
    else if (left < urgent) warnings.push(`URGENT: ${name} expires in ${days}, on ${info.notAfter}: ${fix}`);
    else if (left < soon) warnings.push(`${name} expires in ${days}, on ${info.notAfter}: ${fix}`);
    else if (info.isCa && left < AUTHORITY_NOTICE_DAYS && rollover === undefined)
      notes.push(`${name} ends in ${days}, on ${info.notAfter}: ${fix}`);
  }
  const authorityKeyIsLost =
    config.tls.mode === "own-ca" && files.authorityKeyPem === undefined && files.authorityPem !== undefined;
  if (authorityKeyIsLost && rollover === undefined) {
    notes.push(
      `${FILES.authorityKey} is missing: the registry serves on, but its certificate cannot be renewed; put it back from a backup, or change over to a new authority: regctl certs rollover`,
    );
  }
  return { problems, warnings, notes, authorityKeyIsLost };
}
