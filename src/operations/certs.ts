/** The certificate of a deployment: showing it, new names, renewal, the authority for clients. */
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateHosts } from "../config/config.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import type { CertificateInfo } from "../pki/describe.ts";
import type { FileChange } from "../project/files.ts";
import { fileError } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import { type AuthorityStatus, authorityStatus } from "./authority-status.ts";
import type { Outlook } from "./certificate-outlook.ts";
import { issueCertificate, readCertificateFiles } from "./certificates.ts";
import { type Deployment, loadDeployment, parseConfigText } from "./deployment.ts";
import { directories, presentFiles, sameFile } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { clientAuthorities } from "./trusted-authorities.ts";
import { bringUp } from "./up.ts";

export interface ChainStatus {
  /** Leaf, intermediates, then the authority of the deployment when it has one. */
  readonly chain: readonly CertificateInfo[];
  readonly authorityFile: string | undefined;
  readonly authority: AuthorityStatus | null;
  readonly outlook: Outlook;
}

function requireTls(deployment: Deployment): void {
  if (deployment.config.tls.mode !== "none") return;
  throw new RegctlError("precondition-failed", "this deployment has no certificate: tls.mode is none", {
    hint: "set tls.mode: own-ca in regctl.yaml, then run `regctl up`",
  });
}

export async function showChain(ports: OperationPorts, directory: string): Promise<ChainStatus> {
  const deployment = await loadDeployment(directory);
  requireTls(deployment);
  const files = await readCertificateFiles(directory);
  if (files.certificatePem === undefined)
    throw new RegctlError("not-found", `there is no ${FILES.certificate}`, { hint: "regctl up" });
  const [{ describeCertificate }, { splitPem }, { certificateOutlook }] = await Promise.all([
    import("../pki/describe.ts"),
    import("../pki/pem.ts"),
    import("./certificate-outlook.ts"),
  ]);
  const pems = [files.certificatePem, files.authorityPem ?? ""].flatMap((text) => splitPem(text));
  return {
    chain: pems.map((pem) => describeCertificate(pem, ports.now())),
    authorityFile: files.authorityPem === undefined ? undefined : join(directory, FILES.authorityCertificate),
    authority: await authorityStatus(files, deployment.config.tls.mode, ports.now()),
    outlook: await certificateOutlook(deployment.config, files, ports.now()),
  };
}

/** Throws `precondition-failed` unless regctl itself issues the certificate. */
export function requireOwnAuthority(deployment: Deployment): void {
  requireTls(deployment);
  if (deployment.config.tls.mode === "own-ca") return;
  throw new RegctlError("precondition-failed", "this certificate was provided, so regctl cannot issue another one", {
    hint: "get one from who issued it, then: regctl certs import CERTIFICATE --key KEY",
  });
}

/** Files of a new certificate and the serving of it: one change for the folder, one replaced container. */
async function replaceCertificate(
  ports: OperationPorts,
  deployment: Deployment,
  because: string,
  more: readonly FileChange[],
): Promise<readonly Change[]> {
  const { directory, config } = deployment;
  // Asked before the first change: a certificate nobody can be served is not issued.
  await ports.engine();
  const issued = await issueCertificate(ports, config, await readCertificateFiles(directory));
  const files = [...issued.files, ...more];
  const replaced = await presentFiles(
    ports,
    directory,
    files.map(({ path }) => path),
  );
  await commitTransaction(directory, { directories: directories(ports, config), files });
  const changes = await bringUp(ports, deployment, { dryRun: false, offline: false, replaced });
  return [{ action: "change", kind: "certificate", name: FILES.certificate, because }, ...changes];
}

/** A new key and certificate under the same authority: clients notice nothing. The caller holds the lock. */
export async function renewCertificate(ports: OperationPorts, directory: string): Promise<readonly Change[]> {
  const deployment = await loadDeployment(directory);
  requireOwnAuthority(deployment);
  return replaceCertificate(ports, deployment, "renewed", []);
}

/** Adds names to `san` in regctl.yaml and issues a certificate that covers them. The caller holds the lock. */
export async function issueForNames(
  ports: OperationPorts,
  directory: string,
  names: readonly string[],
): Promise<readonly Change[]> {
  const deployment = await loadDeployment(directory);
  requireOwnAuthority(deployment);
  const { config } = deployment;
  const { normalizeHosts } = await import("../pki/san.ts");
  const covered = new Set(normalizeHosts(certificateHosts(config)).map((host) => host.value));
  const added = normalizeHosts(names).flatMap((host) => (covered.has(host.value) ? [] : [host.value]));
  if (added.length === 0) return bringUp(ports, deployment, { dryRun: false, offline: false });
  const { setConfigValue } = await import("../config/edit.ts");
  const text = setConfigValue(deployment.text, "san", [...config.san, ...added]);
  const changed: Deployment = { directory, text, config: (await parseConfigText(directory, text)).config };
  return replaceCertificate(ports, changed, `covers ${added.join(", ")} as well`, [
    await sameFile(ports, directory, FILES.config, text),
  ]);
}

/** The authority clients have to trust, as PEM; both of them during a rollover without cross-signing. */
export async function readAuthority(directory: string): Promise<string> {
  const { current } = await clientAuthorities(directory);
  if (current.length > 0) return current.join("");
  const { config } = await loadDeployment(directory);
  if (config.tls.mode === "own-ca")
    throw new RegctlError("not-found", `there is no ${FILES.authorityCertificate}`, {
      hint: "put it back from a backup",
    });
  throw new RegctlError(
    "not-found",
    config.tls.mode === "none"
      ? "without TLS there is no authority to trust"
      : "a public authority issued this certificate: clients trust it already",
    {
      hint: "nothing has to be installed on clients",
    },
  );
}

/** Copies the authority's certificate; an existing file is refused. */
export async function copyAuthority(directory: string, target: string): Promise<string> {
  const pem = await readAuthority(directory);
  if (await stat(target).catch(() => undefined))
    throw new RegctlError("conflict", `${target} exists already`, { hint: "name another file, or remove it" });
  try {
    await writeFile(target, pem, { flag: "wx" });
  } catch (error) {
    throw fileError(error, `write ${target}`);
  }
  return target;
}
