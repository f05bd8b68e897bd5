/** `certs renew`: at once, or only when it is due; a certificate of somebody else's is only watched. */
import { CERTIFICATE_LABEL } from "../deployment/labels.ts";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { type CertificateInfo, describeCertificate } from "../pki/describe.ts";
import { renewBelowDays } from "../pki/lifetime.ts";
import { FILES } from "../project/paths.ts";
import { type CertificateFiles, readCertificateFiles, reasonToIssue } from "./certificates.ts";
import { renewCertificate, requireOwnAuthority } from "./certs.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import type { OperationPorts } from "./ports.ts";
import { certificateFingerprint } from "./render.ts";
import { bringUp } from "./up.ts";

export interface Due {
  readonly isDue: boolean;
  readonly daysLeft: number;
  /** It is due when fewer days are left. */
  readonly belowDays: number;
  readonly notAfter: string;
  /** Why nobody but its owner can do it now, with what to do; undefined = `certs renew` can. */
  readonly blocked: { readonly why: string; readonly fix: string } | undefined;
}

export interface RenewedIfDue {
  readonly due: Due;
  readonly changes: readonly Change[];
  /** It is due and left alone, because the registry does not run. */
  readonly isDown: boolean;
}

function blocked({ config }: Deployment, files: CertificateFiles, leaf: CertificateInfo, now: Date): Due["blocked"] {
  if (config.tls.mode === "provided") {
    return {
      why: "it was provided, so its owner has to renew it",
      fix: "get one from who issued it, then: regctl certs import CERTIFICATE --key KEY",
    };
  }
  if (files.authorityPem === undefined) return undefined;
  const authority = describeCertificate(files.authorityPem, now);
  if (authority.notAfter > leaf.notAfter) return undefined;
  return {
    why: `its authority itself ends on ${authority.notAfter}, and no certificate outlives its authority`,
    fix: "change over to a new authority, which clients do not notice: regctl certs rollover",
  };
}

/** Whether the certificate in the folder is due; one that no longer fits is. */
export async function dueState(ports: Pick<OperationPorts, "now">, deployment: Deployment): Promise<Due> {
  const files = await readCertificateFiles(deployment.directory);
  if (files.certificatePem === undefined)
    throw new RegctlError("not-found", `there is no ${FILES.certificate}`, { hint: "regctl up" });
  const now = ports.now();
  const leaf = describeCertificate(files.certificatePem, now);
  const belowDays = renewBelowDays(leaf);
  const isOurs = deployment.config.tls.mode === "own-ca";
  const unfit = isOurs ? await reasonToIssue(deployment.config, files, now) : undefined;
  return {
    isDue: leaf.daysLeft < belowDays || unfit !== undefined,
    daysLeft: leaf.daysLeft,
    belowDays,
    notAfter: leaf.notAfter,
    blocked: unfit === undefined || !isOurs ? blocked(deployment, files, leaf, now) : undefined,
  };
}

/** A renewal that was killed after its files were in place left a container with the certificate from before. */
async function servesAnEarlierOne(ports: OperationPorts, deployment: Deployment): Promise<boolean> {
  const { certificatePem = "" } = await readCertificateFiles(deployment.directory);
  try {
    const { containers } = await observeOwn(ports, await ports.engine(), deployment);
    const wanted = certificateFingerprint(certificatePem);
    return containers.some((one) => one.state === "running" && (one.labels[CERTIFICATE_LABEL] ?? wanted) !== wanted);
  } catch {
    // What is not due needs no engine.
    return false;
  }
}

/** Somebody took it down or stopped it; a timer must not start it again. */
async function isDown(ports: OperationPorts, deployment: Deployment): Promise<boolean> {
  const { containers } = await observeOwn(ports, await ports.engine(), deployment);
  return !containers.some(({ state }) => state === "running" || state === "restarting");
}

/** What `certs renew` would change. */
export async function plannedRenewal(directory: string): Promise<readonly Change[]> {
  const deployment = await loadDeployment(directory);
  requireOwnAuthority(deployment);
  const name = containerName(deployment.config.name, REGISTRY_SERVICE);
  return [
    { action: "change", kind: "certificate", name: FILES.certificate, because: "renewed" },
    { action: "change", kind: "container", name, because: "certificate changed" },
  ];
}

/** Renews what is due and serves what an interrupted renewal left; no changes otherwise. The caller holds the lock. */
export async function renewIfDue(ports: OperationPorts, directory: string, dryRun: boolean): Promise<RenewedIfDue> {
  const deployment = await loadDeployment(directory);
  if (deployment.config.tls.mode === "none") requireOwnAuthority(deployment);
  const due = await dueState(ports, deployment);
  if (due.isDue && due.blocked === undefined) {
    if (await isDown(ports, deployment)) return { due, changes: [], isDown: true };
    const changes = dryRun ? await plannedRenewal(directory) : await renewCertificate(ports, directory);
    return { due, changes, isDown: false };
  }
  const changes = (await servesAnEarlierOne(ports, deployment))
    ? await bringUp(ports, deployment, { dryRun, offline: false })
    : [];
  return { due, changes, isDown: false };
}
