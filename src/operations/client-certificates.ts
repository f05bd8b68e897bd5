/** Certificates for clients: giving them out, seeing them, taking them back. */
import { hostAndPort } from "../config/config.ts";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { FILES } from "../project/paths.ts";
import { commitTransaction } from "../project/transaction.ts";
import type { Secret } from "../secret.ts";
import { acceptedAuthorities, readRegister } from "./client-bundle.ts";
import {
  CLIENT_FILES,
  clientReadme,
  removeClientFolder,
  requireFreeFolder,
  writeClientFolder,
} from "./client-folder.ts";
import { type ClientRecord, registerText, requireClientName, retireEnded, revokeName } from "./client-register.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { observeOwn } from "./observe-own.ts";
import { directories, ownSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";
import { render, writeRendered } from "./render.ts";
import { replaceFiles } from "./replace-files.ts";
import { clientAuthorities } from "./trusted-authorities.ts";
import { bringUp } from "./up.ts";
import { withStep } from "./with-step.ts";

async function loadWithTls(directory: string): Promise<Deployment> {
  const deployment = await loadDeployment(directory);
  if (deployment.config.tls.mode !== "none") return deployment;
  throw new RegctlError("precondition-failed", "without TLS no client can show a certificate: tls.mode is none", {
    hint: "set tls.mode: own-ca in regctl.yaml, then run `regctl up`",
  });
}

/** Writes the register and has the registry accept what it says; one that is taken down stays down. */
async function putRegister(
  ports: OperationPorts,
  deployment: Deployment,
  clients: readonly ClientRecord[],
): Promise<readonly Change[]> {
  const { directory, config } = deployment;
  const files = [ownSecret(FILES.clients, registerText(retireEnded(clients, ports.now())))];
  const commit = (): Promise<void> => commitTransaction(directory, { directories: directories(ports, config), files });
  if (config.tls.clientAuth === "off") {
    await commit();
    return [];
  }
  const { containers } = await observeOwn(ports, await ports.engine(), deployment);
  if (containers.length > 0) return replaceFiles(ports, deployment, { files, removals: [] });
  await commit();
  const rendered = await render(ports, deployment);
  await writeRendered(ports, deployment, rendered);
  return rendered.changes;
}

export interface ClientRequest {
  readonly name: string;
  readonly days: number;
  /** Absolute. */
  readonly folder: string;
  /** Opens client.p12, which is written when there is one. */
  readonly p12Password: Secret | undefined;
}

export interface GivenClient {
  readonly record: ClientRecord;
  /** Names of the files in the folder. */
  readonly files: readonly string[];
  readonly clientAuth: string;
  readonly changes: readonly Change[];
}

/** Gives out a certificate and writes it to a folder; one of the same name stays valid. The caller holds the lock. */
export async function giveClient(
  ports: OperationPorts,
  directory: string,
  { name, days, folder, p12Password }: ClientRequest,
): Promise<GivenClient> {
  requireClientName(name);
  const deployment = await loadWithTls(directory);
  const { config } = deployment;
  const clients = await readRegister(directory);
  await requireFreeFolder(folder, new Set(clients.map(({ sha256 }) => sha256)), ports.userId);
  if (config.tls.clientAuth !== "off") await ports.engine();

  const now = ports.now();
  const [{ issueClient }, { describeCertificate }, { current }] = await Promise.all([
    import("../pki/client.ts"),
    import("../pki/describe.ts"),
    clientAuthorities(directory),
  ]);
  const issued = await withStep(ports.progress, `issue a client certificate for ${name}`, async () => ({
    value: await issueClient({ name, now, lifetimeDays: days }),
  }));
  const { serial, sha256, notAfter } = describeCertificate(issued.certificatePem, now);
  const times = { issued: now.toISOString(), notAfter, revoked: null, retired: null };
  const record: ClientRecord = { name, serial, sha256, ...times, authority: issued.authorityPem };
  const all = [...clients, record];
  // Before the first change: one client too many would keep the registry from starting.
  await acceptedAuthorities(deployment, all, []);

  const files = new Map<string, string | Buffer>([
    [CLIENT_FILES.certificate, issued.certificatePem],
    [CLIENT_FILES.key, issued.keyPem.reveal()],
    [CLIENT_FILES.readme, clientReadme(name, hostAndPort(config), notAfter, current.length > 0)],
  ]);
  if (current.length > 0) files.set(CLIENT_FILES.authority, current.join(""));
  if (p12Password !== undefined) {
    const { makePkcs12 } = await import("../pki/pkcs12.ts");
    files.set(CLIENT_FILES.container, makePkcs12(issued, name, p12Password.reveal()));
  }
  await writeClientFolder(folder, files);
  try {
    const changes = await putRegister(ports, deployment, all);
    return { record, files: [...files.keys()], clientAuth: config.tls.clientAuth, changes };
  } catch (error) {
    await removeClientFolder(folder);
    throw error;
  }
}

export interface RevokedClients {
  readonly name: string;
  /** Those that were accepted until now; none when all had been revoked before. */
  readonly revoked: readonly ClientRecord[];
  readonly changes: readonly Change[];
}

/** Takes back every certificate of that name; nobody else notices. The caller holds the lock. */
export async function revokeClient(ports: OperationPorts, directory: string, name: string): Promise<RevokedClients> {
  requireClientName(name);
  const deployment = await loadWithTls(directory);
  const clients = await readRegister(directory);
  if (!clients.some((client) => client.name === name))
    throw new RegctlError("not-found", `no client called ${name} was given a certificate`, {
      hint: "`regctl certs clients` lists all of them",
    });
  const revoked = clients.filter((client) => client.name === name && client.revoked === null);
  if (deployment.config.tls.clientAuth !== "off") await ports.engine();
  if (revoked.length > 0) {
    const changes = await putRegister(ports, deployment, revokeName(clients, name, ports.now()));
    return { name, revoked, changes };
  }
  // An earlier run may have been killed before the registry was told.
  const { containers } =
    deployment.config.tls.clientAuth === "off"
      ? { containers: [] }
      : await observeOwn(ports, await ports.engine(), deployment);
  const changes = containers.length === 0 ? [] : await bringUp(ports, deployment, { dryRun: false, offline: false });
  return { name, revoked, changes };
}

export interface ListedClient extends Omit<ClientRecord, "retired" | "authority"> {
  readonly daysLeft: number;
  readonly state: "valid" | "expiring" | "expired" | "revoked";
}

export interface ClientList {
  readonly clientAuth: string;
  readonly clients: readonly ListedClient[];
  readonly warnings: readonly string[];
}

const WARN_DAYS = 30;
const URGENT_DAYS = 7;

/** Everybody who was given a certificate, oldest first. */
export async function listClients(ports: Pick<OperationPorts, "now">, directory: string): Promise<ClientList> {
  const { config } = await loadDeployment(directory);
  const [records, { daysLeft }] = await Promise.all([readRegister(directory), import("../pki/describe.ts")]);
  const clients = records.map(({ retired: _, authority: __, ...record }): ListedClient => {
    const left = daysLeft(record.notAfter, ports.now());
    const age = left < 0 ? "expired" : left < WARN_DAYS ? "expiring" : "valid";
    return { ...record, daysLeft: left, state: record.revoked === null ? age : "revoked" };
  });
  const isRenewed = (client: ListedClient): boolean =>
    clients.some((other) => other.name === client.name && other.state === "valid");
  const warnings = clients
    .filter((client) => client.state === "expiring" && !isRenewed(client))
    .map(
      ({ name, notAfter, daysLeft: left }) =>
        `${left < URGENT_DAYS ? "within a week " : ""}the certificate of ${name} ends (${notAfter}, ${left} days left): \`regctl certs client ${name}\``,
    );
  return { clientAuth: config.tls.clientAuth, clients, warnings };
}
