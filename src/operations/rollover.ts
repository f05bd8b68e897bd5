/** Replacing the authority of a deployment: cross-signed where that is possible, else by overlap or at once. */
import { join } from "node:path";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import type { CertifiedKey } from "../pki/authority.ts";
import type { FileChange } from "../project/files.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { type CertificateFiles, issueCertificate, readCertificateFiles, readSecret } from "./certificates.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { ownSecret, publicFile } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { type Replacement, replaceFiles } from "./replace-files.ts";
import { certificateChanges, foreseenChanges } from "./rollover-changes.ts";
import { ROLLOVER_FILES, type RolloverKind, type RolloverState, rolloverState } from "./rollover-state.ts";
import { bringUp } from "./up.ts";
import { withStep } from "./with-step.ts";

export interface RolloverResult {
  /** `replaced`: at once, without a time in which clients may know either authority. */
  readonly outcome: "begun" | "under-way" | "finished" | "aborted" | "replaced" | "none";
  /** Why the authorities could not be cross-signed. */
  readonly because: string | undefined;
  readonly changes: readonly Change[];
  /** What is under way now, or with a dry run would have been before. */
  readonly rollover: RolloverState | undefined;
}

/** What is done to the folder, decided before a key is made. */
interface Course {
  readonly kind: RolloverKind | "at-once";
  readonly because: string | undefined;
}

async function loadWithAuthority(directory: string): Promise<Deployment> {
  const deployment = await loadDeployment(directory);
  const { mode } = deployment.config.tls;
  if (mode === "own-ca") return deployment;
  throw new RegctlError(
    "precondition-failed",
    mode === "none"
      ? "this deployment has no certificate: tls.mode is none"
      : "this certificate was provided: its authority is not regctl's to replace",
    {
      hint:
        mode === "none"
          ? "set tls.mode: own-ca in regctl.yaml, then run `regctl up`"
          : "have it issued by the other authority, and give that one to clients first: `regctl trust`",
    },
  );
}

/** Reads the authority there is and decides how clients get from it to a new one. */
async function chooseCourse(files: CertificateFiles, now: Date): Promise<Course> {
  const { authorityPem, authorityKeyPem } = files;
  if (authorityPem === undefined) {
    throw new RegctlError("precondition-failed", `${FILES.authorityCertificate} is missing`, {
      hint: `put it back from a backup or from any client that trusts it; to begin anew at once: \`regctl certs rollover --compromised\``,
    });
  }
  const [{ describeCertificate }, { hasRoomForIntermediate }] = await Promise.all([
    import("../pki/describe.ts"),
    import("../pki/cross.ts"),
  ]);
  const { notAfter } = describeCertificate(authorityPem, now);
  if (new Date(notAfter) <= now) return { kind: "at-once", because: `the old CA expired on ${notAfter}` };
  if (authorityKeyPem === undefined) return { kind: "overlap", because: `${FILES.authorityKey} is missing` };
  return hasRoomForIntermediate(authorityPem)
    ? { kind: "cross-signed", because: undefined }
    : { kind: "overlap", because: "the old CA may not sign another one (pathlen:0)" };
}

function authorityFiles(authority: CertifiedKey): FileChange[] {
  return [
    // The container that still runs has /dev/null over the old key, and would see the new one if that went.
    { ...ownSecret(FILES.authorityKey, authority.keyPem.reveal()), inPlace: true },
    publicFile(FILES.authorityCertificate, authority.certificatePem),
  ];
}

/** The files after an authority took over: its own, and a new leaf with the cross certificate behind it. */
async function takeOver(
  ports: OperationPorts,
  deployment: Deployment,
  files: CertificateFiles,
  authority: CertifiedKey,
  crossPem: string | undefined,
): Promise<FileChange[]> {
  const { certificatePem: authorityPem, keyPem: authorityKeyPem } = authority;
  const known = { ...files, authorityPem, authorityKeyPem, crossPem };
  return [...authorityFiles(authority), ...(await issueCertificate(ports, deployment.config, known)).files];
}

async function beginning(
  ports: OperationPorts,
  deployment: Deployment,
  files: CertificateFiles,
  { kind }: Course,
): Promise<Replacement> {
  const now = ports.now();
  const { createAuthority } = await import("../pki/authority.ts");
  const authority = await createAuthority({ deploymentName: deployment.config.name, now });
  if (kind === "overlap") {
    return {
      files: [
        publicFile(FILES.nextAuthority, authority.certificatePem),
        ownSecret(FILES.idleAuthorityKey, authority.keyPem.reveal()),
      ],
      removals: [],
    };
  }
  const { authorityPem, authorityKeyPem } = files;
  if (kind === "at-once" || authorityPem === undefined || authorityKeyPem === undefined) {
    return { files: await takeOver(ports, deployment, files, authority, undefined), removals: ROLLOVER_FILES };
  }
  const { crossSign } = await import("../pki/cross.ts");
  const old = { certificatePem: authorityPem, keyPem: authorityKeyPem };
  const cross = await crossSign(old, authority.certificatePem, now);
  return {
    files: [
      ...(await takeOver(ports, deployment, files, authority, cross)),
      publicFile(FILES.crossCertificate, cross),
      publicFile(FILES.previousAuthority, authorityPem),
      ownSecret(FILES.idleAuthorityKey, authorityKeyPem.reveal()),
    ],
    removals: [],
  };
}

export interface BeginOptions {
  readonly dryRun: boolean;
  /** Somebody else may have the old key: nothing it signed is served any more, from now on. */
  readonly compromised: boolean;
}

/** Makes a new authority and has it take over. Run again it says what is under way. The caller holds the lock. */
export async function beginRollover(
  ports: OperationPorts,
  directory: string,
  { dryRun, compromised }: BeginOptions,
): Promise<RolloverResult> {
  const deployment = await loadWithAuthority(directory);
  const underWay = await rolloverState(directory, ports.now());
  if (underWay !== undefined && !compromised) {
    const changes = await bringUp(ports, deployment, { dryRun, offline: false });
    return { outcome: "under-way", because: undefined, changes, rollover: underWay };
  }
  const files = await readCertificateFiles(directory);
  const course: Course = compromised
    ? { kind: "at-once", because: "the old CA's key is not to be trusted any more" }
    : await chooseCourse(files, ports.now());
  const outcome = course.kind === "at-once" ? "replaced" : "begun";
  // Asked before the first change: an authority nobody can be served under is not made.
  await ports.engine();
  const title = `make ${course.kind === "cross-signed" ? "and cross-sign " : ""}a certificate authority`;
  const replacement = await withStep(ports.progress, title, async () => ({
    value: await beginning(ports, deployment, files, course),
  }));
  return carryOut(ports, deployment, replacement, { outcome, because: course.because, dryRun });
}

interface Told extends Pick<RolloverResult, "outcome" | "because"> {
  readonly dryRun: boolean;
}

async function carryOut(
  ports: OperationPorts,
  deployment: Deployment,
  replacement: Replacement,
  { outcome, because, dryRun }: Told,
): Promise<RolloverResult> {
  const { directory } = deployment;
  const certificates = await certificateChanges(directory, replacement);
  const others = dryRun
    ? await foreseenChanges(ports, deployment, replacement)
    : await replaceFiles(ports, deployment, replacement);
  const rollover = await rolloverState(directory, ports.now());
  return { outcome, because, changes: [...certificates, ...others], rollover };
}

/** Drops the old authority: clients that know it alone are refused from then on. The caller holds the lock. */
export async function finishRollover(
  ports: OperationPorts,
  directory: string,
  { dryRun }: Pick<BeginOptions, "dryRun">,
): Promise<RolloverResult> {
  const deployment = await loadWithAuthority(directory);
  const rollover = await rolloverState(directory, ports.now());
  if (rollover === undefined) {
    const changes = await bringUp(ports, deployment, { dryRun, offline: false });
    return { outcome: "none", because: undefined, changes, rollover };
  }
  await ports.engine();
  const files = await readCertificateFiles(directory);
  const written =
    rollover.kind === "overlap"
      ? await takeOver(ports, deployment, files, await nextAuthority(directory), undefined)
      : [publicFile(FILES.certificate, await leafOnly(files))];
  return carryOut(
    ports,
    deployment,
    { files: written, removals: ROLLOVER_FILES },
    { outcome: "finished", because: undefined, dryRun },
  );
}

async function leafOnly({ certificatePem = "" }: CertificateFiles): Promise<string> {
  const { splitPem } = await import("../pki/pem.ts");
  return splitPem(certificatePem)[0] ?? certificatePem;
}

async function nextAuthority(directory: string): Promise<CertifiedKey> {
  const [certificatePem, keyPem] = await Promise.all([
    readIfExists(join(directory, FILES.nextAuthority)),
    readSecret(join(directory, FILES.idleAuthorityKey)),
  ]);
  if (certificatePem !== undefined && keyPem !== undefined) return { certificatePem, keyPem };
  throw new RegctlError("precondition-failed", `${FILES.idleAuthorityKey}, the key of the new CA, is missing`, {
    hint: "put it back from a backup, or take the new CA back and make another: `regctl certs rollover --abort`",
  });
}

/** Goes back to the old authority: clients that know the new one alone are refused from then on. The caller holds the lock. */
export async function abortRollover(
  ports: OperationPorts,
  directory: string,
  { dryRun }: Pick<BeginOptions, "dryRun">,
): Promise<RolloverResult> {
  const deployment = await loadWithAuthority(directory);
  const rollover = await rolloverState(directory, ports.now());
  if (rollover === undefined)
    throw new RegctlError("precondition-failed", "no rollover is under way", {
      hint: "a finished one cannot be taken back; `regctl up` makes what runs agree with the files",
    });
  await ports.engine();
  const replacement = await returning(ports, deployment, rollover.kind);
  return carryOut(ports, deployment, replacement, { outcome: "aborted", because: undefined, dryRun });
}

async function returning(ports: OperationPorts, deployment: Deployment, kind: RolloverKind): Promise<Replacement> {
  const { directory } = deployment;
  if (kind === "overlap") return { files: [], removals: ROLLOVER_FILES };
  const [certificatePem, keyPem] = await Promise.all([
    readIfExists(join(directory, FILES.previousAuthority)),
    readSecret(join(directory, FILES.idleAuthorityKey)),
  ]);
  if (certificatePem === undefined || keyPem === undefined) {
    throw new RegctlError("precondition-failed", `${FILES.idleAuthorityKey}, the key of the old CA, is missing`, {
      hint: "put it back from a backup, or go on to the new CA: `regctl certs rollover --finish`",
    });
  }
  const files = await readCertificateFiles(directory);
  const authority = { certificatePem, keyPem };
  return { files: await takeOver(ports, deployment, files, authority, undefined), removals: ROLLOVER_FILES };
}
