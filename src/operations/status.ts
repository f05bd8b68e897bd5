/** What runs and how well: containers, the registry's own answer, drift, certificate, users, disk. Changes nothing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { checkHtpasswd, listEntries } from "../auth/htpasswd.ts";
import { registryUrl, type TlsMode } from "../config/config.ts";
import { containerProblem, servingProblem } from "../deployment/health.ts";
import { DEPLOYMENT_LABEL, SERVICE_LABEL } from "../deployment/labels.ts";
import { listDeployments, type ObservedState } from "../deployment/observed.ts";
import type { Change } from "../deployment/plan.ts";
import type { ObservedContainer } from "../engine/engine.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { directoryBytes } from "../host/disk.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { type AuthorityStatus, authorityStatus } from "./authority-status.ts";
import type { Outlook } from "./certificate-outlook.ts";
import { type CertificateFiles, readCertificateFiles } from "./certificates.ts";
import { readCollectionMark } from "./collection-mark.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import type { OperationPorts } from "./ports.ts";
import { isMarkedUnfinished } from "./unfinished-init.ts";
import { propose } from "./up.ts";

export interface ContainerStatus {
  readonly service: string;
  readonly name: string;
  readonly state: string;
  readonly image: string;
  readonly ports: readonly string[];
}

export interface Status {
  readonly name: string;
  readonly directory: string;
  readonly url: string;
  readonly healthy: boolean;
  /** Why it is not healthy. */
  readonly problems: readonly string[];
  readonly drift: readonly Change[];
  readonly containers: readonly ContainerStatus[];
  readonly certificate: {
    readonly notAfter: string;
    readonly daysLeft: number;
    readonly sans: readonly string[];
  } | null;
  readonly authority: AuthorityStatus | null;
  readonly users: number;
  readonly disk: { readonly bytes: number };
  /** What goes wrong within 30 days, with the command against it. */
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

function containerStatus(container: ObservedContainer): ContainerStatus {
  return {
    service: container.labels[SERVICE_LABEL] ?? "",
    name: container.name,
    state:
      container.state === "running" && container.health !== "none" ? `running (${container.health})` : container.state,
    image: container.image,
    ports: container.ports.map((port) => `${port.hostAddress}:${port.hostPort}`),
  };
}

/** null without TLS, and for files that cannot be read: those are drift, `up` issues anew. */
async function certificateStatus(
  mode: TlsMode,
  { certificatePem }: CertificateFiles,
  now: Date,
): Promise<Status["certificate"]> {
  if (mode === "none" || certificatePem === undefined) return null;
  const { describeCertificate } = await import("../pki/describe.ts");
  try {
    const { notAfter, daysLeft, sans } = describeCertificate(certificatePem, now);
    return { notAfter, daysLeft, sans };
  } catch {
    return null;
  }
}

/** The container was made to hide a file that is gone, and the mount fails at its next start. */
function hiddenKeyWarning({ authorityKeyIsLost }: Outlook, drift: readonly Change[]): string[] {
  if (!authorityKeyIsLost || !drift.some(({ kind }) => kind === "container")) return [];
  return [`${FILES.authorityKey} is gone since the container was made, which cannot start again like this: regctl up`];
}

async function interruptedChange(directory: string): Promise<string[]> {
  const waiting = (await readdir(join(directory, FILES.journal)).catch(() => [] as string[])).some(
    (entry) => !entry.endsWith(".tmp"),
  );
  if (waiting) return ["an interrupted change waits to be finished: run `regctl up`"];
  const collection = await readCollectionMark(directory);
  if (collection?.readOnly === true)
    return [
      `pushes are refused for a garbage collection since ${collection.since}; when none runs any more, \`regctl up\` takes them again`,
    ];
  return (await isMarkedUnfinished(directory))
    ? ["init was interrupted: run the same `regctl init` again, or `regctl up`"]
    : [];
}

async function healthProblems(
  ports: OperationPorts,
  observed: Promise<ObservedState>,
  deployment: Deployment,
  { authorityPem, client }: CertificateFiles,
): Promise<{ problems: string[]; containers: readonly ObservedContainer[] }> {
  const { config, directory } = deployment;
  const { containers } = await observed;
  const problems = await interruptedChange(directory);
  if (containers.length === 0) return { problems: [...problems, "no container: run `regctl up`"], containers };
  for (const container of containers) {
    const problem =
      containerProblem(container) ??
      (container.health === "unhealthy" ? `its health check fails: ${container.healthOutput.trim()}` : undefined);
    if (problem !== undefined) problems.push(`${container.name}: ${problem}`);
  }
  const answer = await servingProblem({ config, authorityPem, client }, ports.signal);
  return { problems: answer === undefined ? problems : [...problems, answer], containers };
}

async function clientNotes(ports: OperationPorts, { config, directory }: Deployment): Promise<readonly string[]> {
  if (config.tls.clientAuth === "off") return [];
  const { listClients } = await import("./client-certificates.ts");
  return (await listClients(ports, directory)).warnings;
}

/** One read of everything; `drift` is what `up` would change. */
export async function deploymentStatus(ports: OperationPorts, directory: string): Promise<Status> {
  const deployment = await loadDeployment(directory);
  const { config } = deployment;
  const engine = await ports.engine();
  const { certificateOutlook } = await import("./certificate-outlook.ts");
  const htpasswd = (await readIfExists(join(directory, FILES.htpasswd))) ?? "";
  const users = config.auth.mode === "none" ? "" : htpasswd;
  const malformed = checkHtpasswd(users).map((issue) => `${issue.path} line ${issue.line}: ${issue.message}`);
  const certificates = await readCertificateFiles(directory);
  const now = ports.now();
  const observed = observeOwn(ports, engine, deployment);
  const [health, drift, certificate, authority, future, bytes] = await Promise.all([
    healthProblems(ports, observed, deployment, certificates),
    propose(ports, engine, deployment, observed).then(
      (proposal) => ({ changes: proposal.changes, problem: [] as string[] }),
      (error: unknown) => {
        if (error instanceof RegctlError && error.code === "interrupted") throw error;
        return { changes: [], problem: [messageOf(error)] };
      },
    ),
    certificateStatus(config.tls.mode, certificates, now),
    authorityStatus(certificates, config.tls.mode, now),
    certificateOutlook(config, certificates, now),
    directoryBytes(config.data, ports.signal).catch(() => 0),
  ]);
  const clients = await clientNotes(ports, deployment);
  const problems = [...health.problems, ...future.problems, ...drift.problem, ...malformed];
  return {
    name: config.name,
    directory,
    url: registryUrl(config),
    healthy: problems.length === 0,
    problems,
    drift: drift.changes,
    containers: health.containers.map(containerStatus),
    certificate,
    authority,
    users: listEntries(users).length,
    disk: { bytes },
    warnings: [...future.warnings, ...hiddenKeyWarning(future, drift.changes)],
    notes: [...future.notes, ...clients],
  };
}

export interface ListedDeployment {
  readonly name: string;
  readonly directory: string;
  readonly containers: readonly ContainerStatus[];
}

/** Every deployment on the engine, whatever folder regctl was started in. */
export async function listedDeployments(ports: OperationPorts): Promise<ListedDeployment[]> {
  const found = await listDeployments(await ports.engine(), { signal: ports.signal });
  return found.map(({ name, directory, containers }) => ({
    name,
    directory,
    containers: containers.filter((one) => one.labels[DEPLOYMENT_LABEL] === name).map(containerStatus),
  }));
}
