/** How long the authority of a deployment lasts, and whether it is being replaced; seen in its files. */
import type { TlsMode } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import type { CertificateFiles } from "./certificates.ts";
import { type RolloverState, rolloverOf } from "./rollover-state.ts";

export interface AuthorityStatus {
  /** RFC 3339. */
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly rollover: Pick<RolloverState, "kind" | "since" | "previousEnds"> | null;
}

/** null without an authority of its own, and for one that cannot be read: `up` says what is wrong with that. */
export async function authorityStatus(
  files: CertificateFiles,
  mode: TlsMode,
  now: Date,
): Promise<AuthorityStatus | null> {
  if (mode !== "own-ca") return null;
  if (files.authorityPem === undefined) return null;
  const { describeCertificate } = await import("../pki/describe.ts");
  try {
    const { notAfter, daysLeft } = describeCertificate(files.authorityPem, now);
    const rollover = await rolloverOf(files, now);
    if (rollover === undefined) return { notAfter, daysLeft, rollover: null };
    const { kind, since, previousEnds } = rollover;
    return { notAfter, daysLeft, rollover: { kind, since, previousEnds } };
  } catch (error) {
    if (error instanceof RegctlError) return null;
    throw error;
  }
}
