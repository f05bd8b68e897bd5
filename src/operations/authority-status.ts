/** How long the authority of a deployment lasts, and what is to be done about it; read from its files. */
import type { TlsMode } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import { FILES } from "../project/paths.ts";
import { readCertificateFiles } from "./certificates.ts";
import { type RolloverState, rolloverState } from "./rollover-state.ts";

export interface AuthorityStatus {
  /** RFC 3339. */
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly rollover: Pick<RolloverState, "kind" | "since" | "previousEnds"> | null;
  /** What somebody has to do, each with its command. */
  readonly warnings: readonly string[];
}

/** Every client has to be given another one by then, and some of them are asked once a year. */
const WARN_DAYS = 365;

function rolloverWarning({ kind, since, previousEnds }: RolloverState): string {
  const day = (time: string): string => time.slice(0, 10);
  return kind === "cross-signed"
    ? `CA rollover since ${day(since)}: give the new CA to every client, then \`regctl certs rollover --finish\`; clients with the old one alone work until then, and no longer than ${day(previousEnds)}`
    : `CA rollover since ${day(since)}: give both CAs to every client (\`regctl certs ca\`), then \`regctl certs rollover --finish\`; the old one ends ${day(previousEnds)}`;
}

/** null without an authority of its own, and for one that cannot be read: `up` says what is wrong with that. */
export async function authorityStatus(directory: string, mode: TlsMode, now: Date): Promise<AuthorityStatus | null> {
  if (mode !== "own-ca") return null;
  const files = await readCertificateFiles(directory);
  if (files.authorityPem === undefined) return null;
  const { describeCertificate } = await import("../pki/describe.ts");
  try {
    const { notAfter, daysLeft } = describeCertificate(files.authorityPem, now);
    const rollover = await rolloverState(directory, now);
    const warnings = [
      ...(rollover === undefined ? [] : [rolloverWarning(rollover)]),
      ...(rollover === undefined && files.authorityKeyPem === undefined
        ? [
            `${FILES.authorityKey} is missing: the certificate cannot be renewed; put it back from a backup, or change over to a new CA: \`regctl certs rollover\``,
          ]
        : []),
      ...(daysLeft < WARN_DAYS && rollover?.kind !== "overlap" ? [endWarning(notAfter, daysLeft)] : []),
    ];
    const shown =
      rollover === undefined
        ? null
        : { kind: rollover.kind, since: rollover.since, previousEnds: rollover.previousEnds };
    return { notAfter, daysLeft, rollover: shown, warnings };
  } catch (error) {
    if (error instanceof RegctlError) return null;
    throw error;
  }
}

function endWarning(notAfter: string, daysLeft: number): string {
  return daysLeft < 0
    ? `the CA expired on ${notAfter}: no client accepts it any more; make a new one: \`regctl certs rollover\``
    : `the CA ends on ${notAfter}, in ${daysLeft} days, and every certificate with it: change over to a new one, which clients do not notice: \`regctl certs rollover\``;
}
