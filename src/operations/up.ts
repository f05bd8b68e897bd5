/** regctl.yaml -> what runs: certificate, rendered files, image, containers; each only where it differs. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { CONTAINER_PATHS } from "../config/registry-config.ts";
import { applyStep } from "../deployment/apply.ts";
import { type DesiredState, desiredState, type RenderedFile } from "../deployment/desired.ts";
import { type ServingCheck, waitUntilServing } from "../deployment/health.ts";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import type { ObservedState } from "../deployment/observed.ts";
import { type Change, changeOf, type Plan, planChanges } from "../deployment/plan.ts";
import type { Engine } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import { exists, type FileChange, readIfExists, replaceFile } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { type CertificateFiles, issueCertificate, readCertificateFiles, reasonToIssue } from "./certificates.ts";
import { type Deployment, parseConfigText } from "./deployment.ts";
import { loadHttpSecret, newHttpSecret, secretsFileText } from "./http-secret.ts";
import { observeOwn } from "./observe-own.ts";
import { isAssembled, obtainImage } from "./obtain-image.ts";
import { directories, ownSecret, publicFile, runtimeSecret, sameFile } from "./owners.ts";
import { correctOwnership, ownershipChanges } from "./ownership.ts";
import type { OperationPorts } from "./ports.ts";
import { checkProvidedFiles } from "./provided-certificate.ts";
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
      because: before === undefined ? "not found" : "regctl.yaml changed, or the file was edited",
    });
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
  const [known, certificate] = await Promise.all([loadHttpSecret(directory), certificateStep(ports, deployment)]);
  const httpSecret: Secret = known ?? newHttpSecret();
  const { certificates } = certificate;
  const hasTls = config.tls.mode !== "none";
  const desired = desiredState({
    config,
    directory,
    httpSecret,
    certificateFingerprint:
      hasTls && certificates.certificatePem !== undefined ? fingerprint(certificates.certificatePem) : undefined,
    hidesAuthorityKey: hasTls && certificate.hasAuthorityKey,
  });
  const [rendered, ownership] = await Promise.all([
    changedFiles(ports, deployment, desired),
    ownershipChanges(ports, directory, config),
  ]);
  const secrets = known === undefined ? [ownSecret(FILES.secrets, secretsFileText(httpSecret))] : [];
  return {
    desired,
    certificates,
    files: [...secrets, ...certificate.files, ...rendered.files],
    changes: [...certificate.changes, ...rendered.changes, ...ownership],
  };
}

/** A new, empty `data` folder would make every image vanish; moving them is for their owner to do. */
async function refuseMovedData(config: Config, observed: ObservedState): Promise<void> {
  const mounted = observed.containers
    .flatMap(({ mounts }) => mounts)
    .find(({ target }) => target === CONTAINER_PATHS.data);
  if (mounted === undefined || mounted.source === config.data || (await exists(config.data))) return;
  if ((await readdir(mounted.source).catch(() => [] as string[])).length === 0) return;
  throw new RegctlError(
    "precondition-failed",
    `the images are in ${mounted.source}, and data: now names ${config.data}, which is not there`,
    {
      hint: `move them: regctl down && mv ${mounted.source} ${config.data} && regctl up; to begin with none: mkdir ${config.data}`,
    },
  );
}

/** Reads the folder and the engine and says what would change. */
export async function propose(ports: OperationPorts, engine: Engine, deployment: Deployment): Promise<Proposal> {
  const { config } = deployment;
  const [rendered, observed] = await Promise.all([render(ports, deployment), observeOwn(ports, engine, deployment)]);
  await refuseMovedData(config, observed);
  const plan = planChanges(rendered.desired, observed);
  const imageIsMissing = observed.imageId === undefined;
  const because = `not on this engine; ${isAssembled(config.image) ? "assembled from packages" : "pulled"}`;
  const image: Change[] = imageIsMissing ? [{ action: "create", kind: "image", name: config.image, because }] : [];
  return { ...rendered, plan, imageIsMissing, changes: [...rendered.changes, ...image, ...plan.steps.map(changeOf)] };
}

/** Writes what `render` found missing or different; all of it or nothing. */
export async function writeRendered(ports: OperationPorts, deployment: Deployment, rendered: Rendered): Promise<void> {
  const { config, directory } = deployment;
  if (rendered.files.length > 0 || !(await exists(config.data))) {
    await commitTransaction(directory, { directories: directories(ports, config), files: rendered.files });
  }
  await correctOwnership(ports, directory, config);
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

async function withImage(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  offline: boolean,
): Promise<Deployment> {
  const { reference } = await obtainImage(ports, engine, { reference: deployment.config.image, offline });
  if (reference === deployment.config.image) return deployment;
  const { setConfigValue } = await import("../config/edit.ts");
  const text = setConfigValue(deployment.text, "image", reference);
  const { config } = await parseConfigText(deployment.directory, text);
  await replaceFile(deployment.directory, await sameFile(ports, deployment.directory, FILES.config, text));
  ports.output.note(`regctl.yaml now says image: ${reference}`);
  return { ...deployment, text, config };
}

/** Makes what runs agree with regctl.yaml; the changes it made, none when they agreed. The caller holds the lock. */
export async function bringUp(
  ports: OperationPorts,
  deployment: Deployment,
  options: UpOptions,
): Promise<readonly Change[]> {
  const engine = await ports.engine();
  const first = await propose(ports, engine, deployment);
  if (first.changes.length > 0) options.onChanges?.(first.changes);
  if (options.dryRun) return first.changes;
  if (first.changes.length === 0) {
    // Agreeing with regctl.yaml is not enough: it has to serve as well.
    await untilServing(
      ports,
      engine,
      deployment,
      first,
      options.credentials,
    )(containerName(deployment.config.name, REGISTRY_SERVICE));
    return first.changes;
  }

  const current = first.imageIsMissing ? await withImage(ports, engine, deployment, options.offline) : deployment;
  // The id of an image that just came decides whether an older container may stay.
  const proposal = first.imageIsMissing ? await propose(ports, engine, current) : first;
  await writeRendered(ports, current, proposal);
  await applySteps(ports, engine, current, proposal, options.credentials);
  return first.changes;
}

/** The wait for one container of the deployment. */
function untilServing(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  proposal: Proposal,
  credentials: ServingCheck["credentials"],
): (container: string) => Promise<void> {
  const check = { config: deployment.config, authorityPem: proposal.certificates.authorityPem, credentials };
  return (container) =>
    waitUntilServing(engine, container, check, { timeoutMs: ports.timeoutMs, signal: ports.signal });
}

async function applySteps(
  ports: OperationPorts,
  engine: Engine,
  deployment: Deployment,
  proposal: Proposal,
  credentials: ServingCheck["credentials"],
): Promise<void> {
  const options = {
    signal: ports.signal,
    untilServing: untilServing(ports, engine, deployment, proposal, credentials),
  };
  for (const step of proposal.plan.steps) {
    ports.signal.throwIfAborted();
    await withStep(ports.progress, `${STEP_TITLES[step.action]} ${changeOf(step).name}`, async () => {
      await applyStep(engine, step, options);
      return { value: undefined };
    });
  }
}
