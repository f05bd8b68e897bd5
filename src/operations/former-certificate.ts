/** What an imported certificate took the place of: kept in `.regctl/certificates`, a folder each, for the way back. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { TlsMode } from "../config/config.ts";
import { type FileChange, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { Secret } from "../secret.ts";
import type { CertificateFiles } from "./certificates.ts";
import { ownSecret } from "./owners.ts";
import { certificateFingerprint } from "./render.ts";

/** A certificate as a deployment serves it, and whose it is. */
export interface ServedCertificate {
  readonly mode: TlsMode;
  /** Leaf, then intermediates. */
  readonly certificatePem: string;
  readonly keyPem: Secret;
  /** What clients have to trust; undefined = a public authority. */
  readonly authorityPem: string | undefined;
}

export interface FormerCertificate extends ServedCertificate {
  /** Relative to the deployment folder. */
  readonly folder: string;
  /** RFC 3339. */
  readonly since: string;
  /** It was replaced by going back, so going back once more passes it over. */
  readonly undone: boolean;
}

const PARTS = { about: "about.json", authority: "ca.crt", certificate: "domain.crt", key: "domain.key" } as const;

/** Files of one kept certificate, relative to the deployment folder. */
export function formerPaths(folder: string): string[] {
  return Object.values(PARTS).map((name) => join(folder, name));
}

/** What has to be written so that the present certificate can come back; undefined when there is none to keep. */
export function keepCertificate(
  mode: TlsMode,
  { certificatePem, keyPem, authorityPem }: CertificateFiles,
  { now, undone }: { readonly now: Date; readonly undone: boolean },
): { readonly folder: string; readonly files: FileChange[] } | undefined {
  if (certificatePem === undefined || keyPem === undefined) return undefined;
  // Named after what it holds, so that an interrupted import that is run again keeps it in the same place.
  const folder = join(FILES.formerCertificates, certificateFingerprint(certificatePem));
  const about = JSON.stringify({ tlsMode: mode, since: now.toISOString(), undone });
  return {
    folder,
    files: [
      ownSecret(join(folder, PARTS.about), `${about}\n`),
      ownSecret(join(folder, PARTS.certificate), certificatePem),
      ownSecret(join(folder, PARTS.key), keyPem.reveal()),
      ...(authorityPem === undefined ? [] : [ownSecret(join(folder, PARTS.authority), authorityPem)]),
    ],
  };
}

async function readFormer(directory: string, folder: string): Promise<FormerCertificate | undefined> {
  const [about, certificatePem, key, authorityPem] = await Promise.all(
    [PARTS.about, PARTS.certificate, PARTS.key, PARTS.authority].map((name) =>
      readIfExists(join(directory, folder, name)),
    ),
  );
  if (about === undefined || certificatePem === undefined || key === undefined) return undefined;
  try {
    const { tlsMode, since, undone } = JSON.parse(about) as { tlsMode: TlsMode; since: string; undone: boolean };
    return { folder, mode: tlsMode, since, undone, certificatePem, keyPem: new Secret(key), authorityPem };
  } catch {
    return undefined;
  }
}

/** Every kept certificate that is whole, the one replaced last first. */
export async function formerCertificates(directory: string): Promise<FormerCertificate[]> {
  const names = await readdir(join(directory, FILES.formerCertificates)).catch(() => [] as string[]);
  const found = await Promise.all(names.map((name) => readFormer(directory, join(FILES.formerCertificates, name))));
  return found.filter((one) => one !== undefined).sort((a, b) => (a.since < b.since ? 1 : -1));
}
