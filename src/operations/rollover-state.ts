/** Whether an authority is being replaced, read from the files that say so; there is no other record of it. */
import { join } from "node:path";
import type { CertificateInfo } from "../pki/describe.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";

/**
 * `cross-signed`: the new authority serves, with the old one's signature on it, and clients may know either.
 * `overlap`: the old certificate serves on, and clients have to be given the new authority beside the old one.
 */
export type RolloverKind = "cross-signed" | "overlap";

export interface RolloverState {
  readonly kind: RolloverKind;
  /** When the new authority was made; RFC 3339. */
  readonly since: string;
  readonly authority: CertificateInfo;
  readonly previous: CertificateInfo;
  /** When clients that know the old authority only stop working, finished or not; RFC 3339. */
  readonly previousEnds: string;
}

/** Files that are there during a rollover alone; whoever ends it, or replaces the authority otherwise, removes them. */
export const ROLLOVER_FILES: readonly string[] = [
  FILES.previousAuthority,
  FILES.crossCertificate,
  FILES.nextAuthority,
  FILES.idleAuthorityKey,
];

/** What says so, each as PEM; undefined where there is no such file. */
export interface RolloverFiles {
  readonly authorityPem: string | undefined;
  readonly nextPem: string | undefined;
  readonly previousPem: string | undefined;
}

/** The rollover under way in a deployment folder. Throws `input-invalid` on a damaged certificate. */
export async function rolloverState(directory: string, now: Date): Promise<RolloverState | undefined> {
  const [authorityPem, nextPem, previousPem] = await Promise.all(
    [FILES.authorityCertificate, FILES.nextAuthority, FILES.previousAuthority].map((file) =>
      readIfExists(join(directory, file)),
    ),
  );
  return rolloverOf({ authorityPem, nextPem, previousPem }, now);
}

/** The same of files that were read already. */
export async function rolloverOf(
  { authorityPem: current, nextPem: next, previousPem: previous }: RolloverFiles,
  now: Date,
): Promise<RolloverState | undefined> {
  if (current === undefined || (next ?? previous) === undefined) return undefined;
  const [{ describeCertificate }, { readCertificate }, { madeAt }] = await Promise.all([
    import("../pki/describe.ts"),
    import("../pki/pem.ts"),
    import("../pki/validity.ts"),
  ]);
  const [authority, before] = next === undefined ? [current, previous ?? ""] : [next, current];
  const info = describeCertificate(before, now);
  return {
    kind: next === undefined ? "cross-signed" : "overlap",
    since: madeAt(readCertificate(authority)).toISOString(),
    authority: describeCertificate(authority, now),
    previous: info,
    previousEnds: info.notAfter,
  };
}
