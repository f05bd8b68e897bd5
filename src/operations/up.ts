/** regctl.yaml -> what runs: certificate, rendered files, image, containers; each only where it differs. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { applyStep } from "../deployment/apply.ts";
import { type DesiredState, desiredState, type RenderedFile } from "../deployment/desired.ts";
import { type ServingCheck, waitUntilServing } from "../deployment/health.ts";
import { type Change, changeOf, type Plan, planChanges } from "../deployment/plan.ts";
import type { Engine } from "../engine/engine.ts";
import { exists, type FileChange, readIfExists, replaceFile } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { type CertificateFiles, issueCertificate, readCertificateFiles, reasonToIssue } from "./certificates.ts";
import { checkProvidedFiles } from "./provided-certificate.ts";
import { type Deployment, parseConfigText } from "./deployment.ts";
import { loadHttpSecret, newHttpSecret, secretsFileText } from "./http-secret.ts";
import { observeOwn } from "./observe-own.ts";
import { isAssembled, obtainImage } from "./obtain-image.ts";
import { directories, ownSecret, publicFile, runtimeSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { withStep } from "./with-step.ts";

/** What regctl.yaml means for the folder, worked out without changing anything and without an engine. */
export interface Rendered {
  readonly desired: DesiredState;
  readonly certificates: CertificateFiles;
  /** Files to write; empty when the folder agrees. */
  readonly files: readonly FileChange[];
  readonly changes: readonly Change[];
}

/** Everything `up` would do. */
export interface Proposal extends Rendered {
  readonly plan: Plan;
  readonly imageIsMissing: boolean;
}

/** The fingerprint containers are labelled with: any other bytes need a restart. */
function fingerprint(certificatePem: string): string {
  return createHash("sha256").update(certificatePem).digest("hex").slice(0, 32);
}

function fileChange(ports: OperationPorts, config: Config, file: RenderedFile): FileChange {
  return file.secret ? runtimeSecret(ports, config, file.path, file.content) : publicFile(file.path, file.content);
}

async function changedFiles(ports: OperationPorts, deployment: Deployment, desired: DesiredState): Promise<{ files: FileChange[]; changes: Change[] }> {
  const files: FileChange[] = [];
  const changes: Change[] = [];
  for (const file of desired.files) {
    const before = await readIfExists(join(deployment.directory, file.path));
    if (before === file.content) continue;
    files.push(fileChange(ports, deployment.config, file));
    changes.push({ action: before === undefined ? "create" : "change", kind: "file", name: file.path, because: before === undefined ? "not found" : "regctl.yaml changed, or the file was edited" });
  }
  return { files, changes };
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
  const unchanged = { certificates, hasAuthorityKey: certificates.authorityKeyPem !== undefined, files: [], changes: [] };
  if (config.tls.mode === "none") return unchanged;
  if (config.tls.mode === "provided") {
    await checkProvidedFiles(ports, config, certificates);
    return unchanged;
  }
  const because = await reasonToIssue(config, certificates, ports.now());
  if (because === undefined) return unchanged;
  const issued = await issueCertificate(ports, config, certificates);
  return {
    certificates: { ...certificates, authorityPem: issued.authorityPem, certificatePem: issued.leaf.certificatePem, keyPem: issued.leaf.keyPem },
    hasAuthorityKey: true,
    files: issued.files,
    changes: [{ action: certificates.certificatePem === undefined ? "create" : "change", kind: "certificate", name: FILES.certificate, because }],
  };
}

/** Reads the folder and says what has to be written so that it agrees with regctl.yaml. */
export async function render(ports: OperationPorts, deployment: Deployment): Promise<Rendered> {
  const { config, directory } = deployment;
  const [known, certificate] = await Promise.all([loadHttpSecret(directory), certificateStep(ports, deployment)]);
  const httpSecret: Secret = known ?? newHttpSecret();
  const { certificates } = certificate;
  const hasTls = config.tls.mode !== "none";
  const desired = desiredState({
    config,
    directory,
    httpSecret,
    certificateFingerprint: hasTls && certificates.certificatePem !== undefined ? fingerprint(certificates.certificatePem) : undefined,
    hidesAuthorityKey: hasTls && certificate.hasAuthorityKey,
  });
  const rendered = await changedFiles(ports, deployment, desired);
  const secrets = known === undefined ? [ownSecret(FILES.secrets, secretsFileText(httpSecret))] : [];
  return { desired, certificates, files: [...secrets, ...certificate.files, ...rendered.files], changes: [...certificate.changes, ...rendered.changes] };
}

/** Reads the folder and the engine and says what would change. */
export async function propose(ports: OperationPorts, engine: Engine, deployment: Deployment): Promise<Proposal> {
  const { config } = deployment;
  const [rendered, observed] = await Promise.all([render(ports, deployment), observeOwn(ports, engine, deployment)]);
  const plan = planChanges(rendered.desired, observed);
  const imageIsMissing = observed.imageId === undefined;
  const because = `not on this engine; ${isAssembled(config.image) ? "assembled from packages" : "pulled"}`;
  const image: Change[] = imageIsMissing ? [{ action: "create", kind: "image", name: config.image, because }] : [];
  return { ...rendered, plan, imageIsMissing, changes: [...rendered.changes, ...image, ...plan.steps.map(changeOf)] };
}

/** Writes what `render` found missing or different; all of it or nothing. */
export async function writeRendered(ports: OperationPorts, deployment: Deployment, rendered: Rendered): Promise<void> {
  const { config, directory } = deployment;
  if (rendered.files.length === 0 && (await exists(config.data))) return;
  await commitTransaction(directory, { directories: directories(ports, config), files: rendered.files });
}

const STEP_TITLES = {
  "create-network": "create network",
  "remove-network": "remove network",
  "create-container": "start container",
  "start-container": "start container",
  "replace-container": "replace container",
  "rename-container": "rename container",
  "remove-container": "remove container",
} as const;

export interface UpOptions {
  readonly dryRun: boolean;
  readonly offline: boolean;
  /** Proves a login as well; `init` has them. */
  readonly credentials?: ServingCheck["credentials"];
  /** Told the changes before the first of them. */
  readonly onChanges?: (changes: readonly Change[]) => void;
}

async function withImage(ports: OperationPorts, engine: Engine, deployment: Deployment, offline: boolean): Promise<Deployment> {
  const { reference } = await obtainImage(ports, engine, { reference: deployment.config.image, offline });
  if (reference === deployment.config.image) return deployment;
  const { setConfigValue } = await import("../config/edit.ts");
  const text = setConfigValue(deployment.text, "image", reference);
  const { config } = await parseConfigText(deployment.directory, text);
  await replaceFile(deployment.directory, publicFile(FILES.config, text));
  ports.output.note(`regctl.yaml now says image: ${reference}`);
  return { ...deployment, text, config };
}

/** Makes what runs agree with regctl.yaml; the changes it made, none when they agreed. The caller holds the lock. */
export async function bringUp(ports: OperationPorts, deployment: Deployment, options: UpOptions): Promise<readonly Change[]> {
  const engine = await ports.engine();
  const first = await propose(ports, engine, deployment);
  if (first.changes.length > 0) options.onChanges?.(first.changes);
  if (options.dryRun || first.changes.length === 0) return first.changes;

  const current = first.imageIsMissing ? await withImage(ports, engine, deployment, options.offline) : deployment;
  // The id of an image that just came decides whether an older container may stay.
  const proposal = first.imageIsMissing ? await propose(ports, engine, current) : first;
  await writeRendered(ports, current, proposal);
  await applySteps(ports, engine, current, proposal, options.credentials);
  return first.changes;
}

async function applySteps(ports: OperationPorts, engine: Engine, deployment: Deployment, proposal: Proposal, credentials: ServingCheck["credentials"]): Promise<void> {
  const check: ServingCheck = { config: deployment.config, authorityPem: proposal.certificates.authorityPem, credentials };
  for (const step of proposal.plan.steps) {
    const { name } = changeOf(step);
    await withStep(ports.progress, `${STEP_TITLES[step.action]} ${name}`, async () => {
      ports.signal.throwIfAborted();
      await applyStep(engine, step, {
        signal: ports.signal,
        untilServing: (id) => waitUntilServing(engine, id, check, { timeoutMs: ports.timeoutMs, signal: ports.signal }),
      });
      return { value: undefined };
    });
  }
}
