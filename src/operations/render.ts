/** regctl.yaml -> the files of the folder: certificate, config.yml, compose.yaml; each only where it differs. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { whatChanged } from "../deployment/changed-keys.ts";
import { type DesiredState, desiredState, type RenderedFile } from "../deployment/desired.ts";
import type { Change } from "../deployment/plan.ts";
import { exists, type FileChange, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { type CertificateFiles, issueCertificate, readCertificateFiles, reasonToIssue } from "./certificates.ts";
import { clientStep } from "./client-bundle.ts";
import type { Deployment } from "./deployment.ts";
import { loadHttpSecret, newHttpSecret, secretsFileText } from "./http-secret.ts";
import { directories, ownSecret, publicFile, runtimeSecret } from "./owners.ts";
import { correctOwnership, ownershipChanges } from "./ownership.ts";
import type { OperationPorts } from "./ports.ts";
import { checkProvidedFiles } from "./provided-certificate.ts";

/** What regctl.yaml means for the folder, worked out without changing anything and without an engine. */
export interface Rendered {
  readonly desired: DesiredState;
  readonly certificates: CertificateFiles;
  /** Files to write; empty when the folder agrees. */
  readonly files: readonly FileChange[];
  readonly changes: readonly Change[];
}

/** The fingerprint containers are labelled with: any other bytes need a restart. */
export function certificateFingerprint(certificatePem: string): string {
  return createHash("sha256").update(certificatePem).digest("hex").slice(0, 32);
}

function fileChange(ports: OperationPorts, config: Config, file: RenderedFile): FileChange {
  return file.secret ? runtimeSecret(ports, config, file.path, file.content) : publicFile(file.path, file.content);
}

/** Without the file the registry answers 400 to everybody, and at its next start does not come up. */
async function missingUsers(
  ports: OperationPorts,
  deployment: Deployment,
): Promise<{ files: FileChange[]; changes: Change[] }> {
  const { config, directory } = deployment;
  if (config.auth.mode === "none" || (await exists(join(directory, FILES.htpasswd)))) return { files: [], changes: [] };
  const because = "not found; nobody can log in before `regctl adduser NAME`";
  return {
    files: [runtimeSecret(ports, config, FILES.htpasswd, "")],
    changes: [{ action: "create", kind: "file", name: FILES.htpasswd, because }],
  };
}

async function changedFiles(
  ports: OperationPorts,
  deployment: Deployment,
  desired: DesiredState,
): Promise<{ files: FileChange[]; changes: Change[] }> {
  const files: FileChange[] = [];
  const changes: Change[] = [];
  for (const file of desired.files) {
    const before = await readIfExists(join(deployment.directory, file.path));
    if (before === file.content) continue;
    files.push(fileChange(ports, deployment.config, file));
    changes.push({
      action: before === undefined ? "create" : "change",
      kind: "file",
      name: file.path,
      because: before === undefined ? "not found" : reasonOf(file, before),
    });
  }
  return { files, changes };
}

function reasonOf({ path, content }: RenderedFile, before: string): string {
  return path === FILES.clientAuthorities ? "other client certificates are accepted" : whatChanged(before, content);
}

interface CertificateStep {
  readonly certificates: CertificateFiles;
  readonly hasAuthorityKey: boolean;
  readonly files: readonly FileChange[];
  readonly changes: readonly Change[];
}

async function certificateStep(ports: OperationPorts, deployment: Deployment): Promise<CertificateStep> {
  const { config, directory } = deployment;
  const certificates = await readCertificateFiles(directory);
  const unchanged = {
    certificates,
    hasAuthorityKey: certificates.authorityKeyPem !== undefined,
    files: [],
    changes: [],
  };
  if (config.tls.mode === "none") return unchanged;
  if (config.tls.mode === "provided") {
    await checkProvidedFiles(ports, config, certificates);
    return unchanged;
  }
  const because = await reasonToIssue(config, certificates, ports.now());
  if (because === undefined) return unchanged;
  const issued = await issueCertificate(ports, config, certificates);
  return {
    certificates: {
      ...certificates,
      authorityPem: issued.authorityPem,
      certificatePem: issued.leaf.certificatePem,
      keyPem: issued.leaf.keyPem,
    },
    hasAuthorityKey: true,
    files: issued.files,
    changes: [
      {
        action: certificates.certificatePem === undefined ? "create" : "change",
        kind: "certificate",
        name: FILES.certificate,
        because,
      },
    ],
  };
}

/** Reads the folder and says what has to be written so that it agrees with regctl.yaml. */
export async function render(ports: OperationPorts, deployment: Deployment): Promise<Rendered> {
  const { config, directory } = deployment;
  const [known, certificate, clients] = await Promise.all([
    loadHttpSecret(directory),
    certificateStep(ports, deployment),
    clientStep(ports, deployment),
  ]);
  const httpSecret: Secret = known ?? newHttpSecret();
  const certificates = { ...certificate.certificates, client: clients.client };
  const hasTls = config.tls.mode !== "none";
  const desired = desiredState({
    config,
    directory,
    httpSecret,
    certificateFingerprint:
      hasTls && certificates.certificatePem !== undefined
        ? certificateFingerprint(certificates.certificatePem)
        : undefined,
    clientAuthorities: clients.authorities,
    hidesAuthorityKey: hasTls && certificate.hasAuthorityKey,
  });
  const [rendered, users, ownership] = await Promise.all([
    changedFiles(ports, deployment, desired),
    missingUsers(ports, deployment),
    ownershipChanges(ports, directory, config),
  ]);
  const secrets = known === undefined ? [ownSecret(FILES.secrets, secretsFileText(httpSecret))] : [];
  return {
    desired,
    certificates,
    files: [...secrets, ...certificate.files, ...clients.files, ...users.files, ...rendered.files],
    changes: [...certificate.changes, ...clients.changes, ...users.changes, ...rendered.changes, ...ownership],
  };
}

/** Writes what `render` found missing or different; all of it or nothing. */
export async function writeRendered(ports: OperationPorts, deployment: Deployment, rendered: Rendered): Promise<void> {
  const { config, directory } = deployment;
  if (rendered.files.length > 0 || !(await exists(config.data))) {
    await commitTransaction(directory, { directories: directories(ports, config), files: rendered.files });
  }
  await correctOwnership(ports, directory, config);
}
