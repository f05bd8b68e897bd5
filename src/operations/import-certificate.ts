/** `certs import`: a certificate obtained elsewhere, checked whole, then served in place of the present one. */
import { type Config, certificateHosts } from "../config/config.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { type CertificateInfo, describeCertificate } from "../pki/describe.ts";
import type { Finding } from "../pki/finding.ts";
import { type AcceptedCertificate, checkProvided } from "../pki/import.ts";
import { splitPem } from "../pki/pem.ts";
import { normalizeHosts } from "../pki/san.ts";
import type { Secret } from "../secret.ts";
import { readCertificateFiles } from "./certificates.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { formerCertificates, type ServedCertificate } from "./former-certificate.ts";
import type { OperationPorts } from "./ports.ts";
import { type SwapOptions, swapCertificate } from "./swap-certificate.ts";

/** What the files hold that were named; nothing is checked yet. */
export interface GivenCertificate {
  readonly certificate: Buffer;
  readonly key: Buffer | undefined;
  readonly chain: Buffer | undefined;
  readonly authority: Buffer | undefined;
  readonly passphrase: Secret | undefined;
}

export interface ImportResult {
  readonly changes: readonly Change[];
  /** As served: leaf, intermediates, then the authority clients need. */
  readonly chain: readonly CertificateInfo[];
  /** Warnings and notes of the check. */
  readonly findings: readonly Finding[];
  /** A public authority issued it, so clients need nothing. */
  readonly isPublic: boolean;
  /** Clients have to be given certs/ca.crt. */
  readonly authorityChanged: boolean;
  /** Where the certificate there was is kept, relative to the folder. */
  readonly formerFolder: string | undefined;
}

const LOCKED = new Set(["KEY_ENCRYPTED_NO_PASSPHRASE", "KEY_BAD_PASSPHRASE"]);
const TRIES = 3;

function requireTls({ config }: Deployment): void {
  if (config.tls.mode !== "none") return;
  throw new RegctlError("precondition-failed", "this deployment speaks plain HTTP: tls.mode is none", {
    hint: "set tls.mode: own-ca in regctl.yaml, run `regctl up`, then import the certificate",
  });
}

async function check(
  ports: OperationPorts,
  directory: string,
  config: Config,
  given: GivenCertificate,
): Promise<AcceptedCertificate> {
  const { authorityPem } = await readCertificateFiles(directory);
  return checkProvided({
    ...given,
    hosts: normalizeHosts(certificateHosts(config)),
    now: ports.now(),
    // A certificate renewed by the same authority comes without it.
    ...(authorityPem === undefined ? {} : { extraAuthorities: [authorityPem] }),
  });
}

/**
 * Checks what was given before the lock is taken, and asks for the passphrase as often as it is wrong, three times at
 * most. Throws `input-invalid` with every problem.
 */
export async function unlockGiven(
  ports: OperationPorts,
  directory: string,
  given: GivenCertificate,
  ask: ((isAgain: boolean) => Promise<Secret>) | undefined,
): Promise<GivenCertificate> {
  const deployment = await loadDeployment(directory);
  requireTls(deployment);
  let current = given;
  for (let asked = 0; ; asked += 1) {
    try {
      await check(ports, directory, deployment.config, current);
      return current;
    } catch (error) {
      const isLocked = error instanceof RegctlError && error.issues.some(({ path }) => LOCKED.has(path));
      if (!isLocked || ask === undefined || asked === TRIES) throw error;
      current = { ...current, passphrase: await ask(asked > 0) };
    }
  }
}

function describeServed(served: Omit<ServedCertificate, "mode">, now: Date): CertificateInfo[] {
  const pems = [served.certificatePem, served.authorityPem ?? ""].flatMap((text) => splitPem(text));
  return pems.map((pem) => describeCertificate(pem, now));
}

async function serve(
  ports: OperationPorts,
  deployment: Deployment,
  wanted: ServedCertificate,
  findings: readonly Finding[],
  options: SwapOptions,
): Promise<ImportResult> {
  const { authorityPem } = await readCertificateFiles(deployment.directory);
  const { changes, formerFolder } = await swapCertificate(ports, deployment, wanted, options);
  return {
    changes,
    chain: describeServed(wanted, ports.now()),
    findings,
    isPublic: wanted.authorityPem === undefined,
    authorityChanged: wanted.authorityPem !== undefined && wanted.authorityPem !== authorityPem,
    formerFolder,
  };
}

/** Serves the given certificate; `changes` is empty when it is the present one. The caller holds the lock. */
export async function importCertificate(
  ports: OperationPorts,
  directory: string,
  given: GivenCertificate,
  dryRun: boolean,
): Promise<ImportResult> {
  const deployment = await loadDeployment(directory);
  requireTls(deployment);
  await ports.engine();
  const accepted = await check(ports, directory, deployment.config, given);
  const { certificatePem, keyPem, authorityPem, findings } = accepted;
  const wanted: ServedCertificate = { mode: "provided", certificatePem, keyPem, authorityPem };
  return serve(ports, deployment, wanted, findings, { dryRun, because: "imported" });
}

/** Serves the certificate that the last import took the place of. The caller holds the lock. */
export async function undoImport(ports: OperationPorts, directory: string, dryRun: boolean): Promise<ImportResult> {
  const deployment = await loadDeployment(directory);
  await ports.engine();
  const { certificatePem } = await readCertificateFiles(directory);
  const former = (await formerCertificates(directory)).find(
    (one) => !one.undone && one.certificatePem !== certificatePem,
  );
  if (former === undefined) {
    throw new RegctlError("not-found", "no import took the place of another certificate here", {
      hint: "`regctl certs` shows what is served",
    });
  }
  const because = `the one there was until ${former.since} comes back`;
  const options = { dryRun, because, comesBackFrom: former.folder };
  // What regctl issued itself it issues again where it no longer fits.
  if (former.mode !== "provided") return serve(ports, deployment, former, [], options);
  const { findings } = await checkProvided({
    certificate: former.certificatePem,
    key: former.keyPem.reveal(),
    hosts: normalizeHosts(certificateHosts(deployment.config)),
    now: ports.now(),
    ...(former.authorityPem === undefined ? {} : { extraAuthorities: [former.authorityPem] }),
  });
  return serve(ports, deployment, former, findings, options);
}
