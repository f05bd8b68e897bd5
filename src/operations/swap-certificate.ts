/** Another certificate in place of the present one: files, regctl.yaml and container change together or not at all. */
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { CERTIFICATE_LABEL } from "../deployment/labels.ts";
import { containerName, REGISTRY_SERVICE } from "../deployment/names.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import type { FileChange } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import { type CertificateFiles, readCertificateFiles } from "./certificates.ts";
import { type Deployment, parseConfigText } from "./deployment.ts";
import { formerPaths, keepCertificate, type ServedCertificate } from "./former-certificate.ts";
import { observeOwn } from "./observe-own.ts";
import { directories, presentFiles, publicFile, runtimeSecret, sameFile } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { certificateFingerprint } from "./render.ts";
import { rolloverState } from "./rollover-state.ts";
import { bringUp } from "./up.ts";

export interface SwapOptions {
  readonly dryRun: boolean;
  /** In words, for the plan. */
  readonly because: string;
  /** Folder of the kept certificate that comes back. */
  readonly comesBackFrom?: string | undefined;
}

export interface Swapped {
  readonly changes: readonly Change[];
  /** Where the certificate there was is kept, relative to the folder; undefined when nothing took its place. */
  readonly formerFolder: string | undefined;
}

interface Planned {
  readonly changed: Deployment;
  readonly changes: readonly Change[];
  readonly files: readonly FileChange[];
  readonly removals: readonly string[];
}

async function changedConfig(deployment: Deployment, mode: string): Promise<Deployment> {
  if (deployment.config.tls.mode === mode) return deployment;
  const { setSectionValue } = await import("../config/edit.ts");
  const text = setSectionValue(deployment.text, "tls", "mode", mode);
  return { ...deployment, text, config: (await parseConfigText(deployment.directory, text)).config };
}

async function planSwap(
  ports: OperationPorts,
  deployment: Deployment,
  present: CertificateFiles,
  wanted: ServedCertificate,
  because: string,
): Promise<Planned> {
  const { directory } = deployment;
  const changed = await changedConfig(deployment, wanted.mode);
  const changes: Change[] = [];
  const files: FileChange[] = [];
  const removals: string[] = [];
  if (wanted.certificatePem !== present.certificatePem) {
    changes.push({
      action: present.certificatePem === undefined ? "create" : "change",
      kind: "certificate",
      name: FILES.certificate,
      because,
    });
    files.push(runtimeSecret(ports, changed.config, FILES.key, wanted.keyPem.reveal()));
    files.push(publicFile(FILES.certificate, wanted.certificatePem));
  }
  if (wanted.authorityPem !== present.authorityPem) {
    const change = { kind: "file", name: FILES.authorityCertificate } as const;
    if (wanted.authorityPem === undefined) {
      removals.push(FILES.authorityCertificate);
      changes.push({ ...change, action: "remove", because: "clients trust the issuer already" });
    } else {
      files.push(publicFile(FILES.authorityCertificate, wanted.authorityPem));
      const action = present.authorityPem === undefined ? "create" : "change";
      changes.push({ ...change, action, because: "another authority" });
    }
  }
  if (changed !== deployment) {
    files.push(await sameFile(ports, directory, FILES.config, changed.text));
    const mode = `tls.mode (${deployment.config.tls.mode} -> ${wanted.mode})`;
    changes.push({ action: "change", kind: "file", name: FILES.config, because: mode });
  }
  return { changed, changes, files, removals };
}

/** Whether what runs was made with that certificate; an engine that does not say runs nothing. */
async function isServed(ports: OperationPorts, deployment: Deployment, certificatePem: string): Promise<boolean> {
  try {
    const { containers } = await observeOwn(ports, await ports.engine(), deployment);
    const wanted = certificateFingerprint(certificatePem);
    return containers.some((one) => one.state === "running" && one.labels[CERTIFICATE_LABEL] === wanted);
  } catch {
    return false;
  }
}

function refusal(error: unknown): unknown {
  if (!(error instanceof RegctlError) || error.details?.rolledBack !== true) return error;
  return new RegctlError(error.code, error.message, {
    cause: error.cause,
    details: error.details,
    issues: error.issues,
    hint: "the former certificate is served again, and every file is as it was",
  });
}

/** Clients were told of two authorities, and both would be gone with one that nobody announced. */
async function refuseRollover(directory: string, now: Date): Promise<void> {
  if ((await rolloverState(directory, now)) === undefined) return;
  throw new RegctlError("precondition-failed", "the authority is being replaced; nothing was changed", {
    hint: "regctl certs rollover --finish, or regctl certs rollover --abort; then the same command again",
  });
}

/**
 * Serves the wanted certificate. Throws before the first change when the engine does not answer; afterwards a registry
 * that does not come up with it leaves files, regctl.yaml and container as they were. The caller holds the lock.
 */
export async function swapCertificate(
  ports: OperationPorts,
  deployment: Deployment,
  wanted: ServedCertificate,
  options: SwapOptions,
): Promise<Swapped> {
  const { directory, config } = deployment;
  await refuseRollover(directory, ports.now());
  await ports.engine();
  const present = await readCertificateFiles(directory);
  const { changed, changes, files, removals } = await planSwap(ports, deployment, present, wanted, options.because);
  const up = { dryRun: options.dryRun, offline: false };
  if (changes.length === 0) return { changes: await bringUp(ports, deployment, up), formerFolder: undefined };
  if (options.dryRun) {
    const container = { kind: "container", name: containerName(config.name, REGISTRY_SERVICE) } as const;
    const planned: Change = { action: "change", ...container, because: "certificate changed" };
    return { changes: [...changes, planned], formerFolder: undefined };
  }

  const undone = options.comesBackFrom !== undefined;
  const kept = keepCertificate(config.tls.mode, present, { now: ports.now(), undone });
  const cleared = options.comesBackFrom === undefined ? [] : formerPaths(options.comesBackFrom);
  const written = [...files, ...(kept?.files ?? [])];
  const removed = [...removals, ...cleared.filter((path) => !written.some((file) => file.path === path))];
  const touched = [...written.map(({ path }) => path), ...removed];
  const replaced = await presentFiles(ports, directory, touched);
  const folders = kept === undefined ? [] : [FILES.formerCertificates, kept.folder];
  await commitTransaction(directory, {
    directories: [...directories(ports, changed.config), ...folders.map((path) => ({ path, mode: 0o700 }))],
    files: written,
    removals: removed,
  });
  try {
    const more = await bringUp(ports, changed, { ...up, replaced });
    if (options.comesBackFrom !== undefined) await rmdir(join(directory, options.comesBackFrom)).catch(() => undefined);
    return { changes: [...changes, ...more], formerFolder: kept?.folder };
  } catch (error) {
    // The container is back already where it had been stopped; what failed before that point left the new files.
    if (!(await isServed(ports, changed, wanted.certificatePem))) {
      const isBack = (path: string) => replaced.some((file) => file.path === path);
      await commitTransaction(directory, {
        directories: [],
        files: replaced,
        removals: touched.filter((path) => !isBack(path)),
      });
      if (kept !== undefined) await rmdir(join(directory, kept.folder)).catch(() => undefined);
    }
    throw refusal(error);
  }
}
