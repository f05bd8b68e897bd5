/** The certificate files of a deployment: what is there, whether it still fits, and what to write instead. */
import { join } from "node:path";
import { type Config, certificateHosts } from "../config/config.ts";
import { RegctlError } from "../errors.ts";
import type { CertifiedKey } from "../pki/authority.ts";
import { type FileChange, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { ClientPair } from "../registry/connection.ts";
import { Secret } from "../secret.ts";
import { readOwnClient } from "./own-client.ts";
import { ownSecret, publicFile, runtimeSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";

export interface CertificateFiles {
  readonly authorityPem: string | undefined;
  readonly authorityKeyPem: Secret | undefined;
  /** Leaf, then intermediates. */
  readonly certificatePem: string | undefined;
  readonly keyPem: Secret | undefined;
  /** During a rollover: what goes behind the leaf for clients that know the old authority only. */
  readonly crossPem: string | undefined;
  /** During a rollover: the authority before, or the one that takes over when it is finished. */
  readonly previousPem: string | undefined;
  readonly nextPem: string | undefined;
  /** regctl's own client certificate; made where clients need one. */
  readonly client: ClientPair | undefined;
}

/** A file that holds a secret; undefined when it is not there. */
export async function readSecret(path: string): Promise<Secret | undefined> {
  const text = await readIfExists(path);
  return text === undefined ? undefined : new Secret(text);
}

export async function readCertificateFiles(directory: string): Promise<CertificateFiles> {
  const [authorityPem, authorityKeyPem, certificatePem, keyPem, crossPem, previousPem, nextPem, client] =
    await Promise.all([
      readIfExists(join(directory, FILES.authorityCertificate)),
      readSecret(join(directory, FILES.authorityKey)),
      readIfExists(join(directory, FILES.certificate)),
      readSecret(join(directory, FILES.key)),
      readIfExists(join(directory, FILES.crossCertificate)),
      readIfExists(join(directory, FILES.previousAuthority)),
      readIfExists(join(directory, FILES.nextAuthority)),
      readOwnClient(directory),
    ]);
  return { authorityPem, authorityKeyPem, certificatePem, keyPem, crossPem, previousPem, nextPem, client };
}

/** The cross certificate of the rollover under way, clean PEM; one of another authority is not served. */
async function crossOf({ authorityPem, crossPem }: CertificateFiles): Promise<string | undefined> {
  if (authorityPem === undefined || crossPem === undefined) return undefined;
  const [{ standsFor }, { splitPem }] = await Promise.all([import("../pki/cross.ts"), import("../pki/pem.ts")]);
  const [cross] = splitPem(crossPem);
  return cross !== undefined && standsFor(cross, authorityPem) ? cross : undefined;
}

async function lacksCross(files: CertificateFiles): Promise<boolean> {
  const [cross, { splitPem }] = [await crossOf(files), await import("../pki/pem.ts")];
  return cross !== undefined && !splitPem(files.certificatePem ?? "").includes(cross);
}

/** Why an issued certificate has to be issued again; undefined = it fits. */
export async function reasonToIssue(config: Config, files: CertificateFiles, now: Date): Promise<string | undefined> {
  if (files.certificatePem === undefined || files.keyPem === undefined) return "not found";
  const [{ X509Certificate, createPrivateKey }, { describeCertificate }, { normalizeHosts }] = await Promise.all([
    import("node:crypto"),
    import("../pki/describe.ts"),
    import("../pki/san.ts"),
  ]);
  let leaf: InstanceType<typeof X509Certificate>;
  try {
    leaf = new X509Certificate(files.certificatePem);
    if (!leaf.checkPrivateKey(createPrivateKey(files.keyPem.reveal()))) return "its key does not belong to it";
  } catch {
    return "it cannot be read";
  }
  if (files.authorityPem === undefined) return "its authority is missing";
  if (!leaf.verify(new X509Certificate(files.authorityPem).publicKey)) return "another authority issued it";
  if (await lacksCross(files)) return "clients that know the previous authority only would refuse it";
  const info = describeCertificate(leaf, now);
  const wanted = normalizeHosts(certificateHosts(config)).map((host) => host.value);
  const missing = wanted.filter((host) => !info.sans.includes(host));
  const surplus = info.sans.filter((host) => !wanted.includes(host));
  if (missing.length > 0) return `does not cover ${missing.join(", ")}`;
  if (surplus.length > 0) return `covers ${surplus.join(", ")}, which regctl.yaml no longer names`;
  return info.daysLeft < 0 ? `expired ${info.notAfter}` : undefined;
}

/**
 * The authority to sign with, made only for a deployment that has no certificate at all: clients trust the one there was,
 * so a lost one is never made up for silently.
 */
async function authority(
  config: Config,
  files: CertificateFiles,
  now: Date,
): Promise<{ readonly pair: CertifiedKey; readonly isNew: boolean }> {
  const { authorityPem, authorityKeyPem, certificatePem, keyPem } = files;
  if (authorityPem !== undefined && authorityKeyPem !== undefined)
    return { pair: { certificatePem: authorityPem, keyPem: authorityKeyPem }, isNew: false };
  if ([authorityPem, authorityKeyPem, certificatePem, keyPem].every((file) => file === undefined)) {
    const { createAuthority } = await import("../pki/authority.ts");
    return { pair: await createAuthority({ deploymentName: config.name, now }), isNew: true };
  }
  const missing = authorityPem === undefined ? FILES.authorityCertificate : FILES.authorityKey;
  throw new RegctlError(
    "precondition-failed",
    `${missing} is missing: no certificate can be issued without it, and clients would not know a new authority`,
    {
      hint: `put ${missing} back from a backup; without one, change over to a new authority: \`regctl certs rollover\``,
    },
  );
}

/** A new key and certificate under the deployment's authority, as files to write. */
export async function issueCertificate(
  ports: Pick<OperationPorts, "isRoot" | "now">,
  config: Config,
  files: CertificateFiles,
): Promise<{ readonly files: FileChange[]; readonly leaf: CertifiedKey; readonly authorityPem: string }> {
  const now = ports.now();
  const [{ issueLeaf }, { normalizeHosts }] = await Promise.all([import("../pki/leaf.ts"), import("../pki/san.ts")]);
  const { pair, isNew } = await authority(config, files, now);
  // The domain stays first: it becomes the common name.
  const hosts = certificateHosts(config).flatMap((host) => normalizeHosts([host]));
  const unique = hosts.filter((host, index) => hosts.findIndex((other) => other.value === host.value) === index);
  const issued = await issueLeaf({ authority: pair, hosts: unique, now, lifetimeDays: config.tls.lifetimeDays });
  const leaf: CertifiedKey = { ...issued, certificatePem: issued.certificatePem + ((await crossOf(files)) ?? "") };
  return {
    leaf,
    authorityPem: pair.certificatePem,
    files: [
      ...(isNew
        ? [
            ownSecret(FILES.authorityKey, pair.keyPem.reveal()),
            publicFile(FILES.authorityCertificate, pair.certificatePem),
          ]
        : []),
      runtimeSecret(ports, config, FILES.key, leaf.keyPem.reveal()),
      publicFile(FILES.certificate, leaf.certificatePem),
    ],
  };
}
