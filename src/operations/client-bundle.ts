/** Which client certificates the registry accepts: certs/client-ca.crt, made of the register, given authorities and regctl's own. */
import { join } from "node:path";
import type { Change } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { type FileChange, readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import type { ClientPair } from "../registry/connection.ts";
import { accepted, type ClientRecord, parseRegister } from "./client-register.ts";
import type { Deployment } from "./deployment.ts";
import { issueOwnClient, ownClientText, readOwnClient, reasonToRenewOwn } from "./own-client.ts";
import { ownSecret } from "./owners.ts";
import type { OperationPorts } from "./ports.ts";

export interface ClientStep {
  /** PEM, never empty; undefined where no client is asked for a certificate. */
  readonly authorities: string | undefined;
  readonly client: ClientPair | undefined;
  readonly files: readonly FileChange[];
  readonly changes: readonly Change[];
}

/**
 * A registry names every authority it accepts in each handshake, and Java reads no handshake message over 32 KiB
 * (jdk.tls.maxHandshakeMessageSize); other clients take 64.
 */
const ISSUER_LIST_BYTES = 30_000;

async function readGiven(file: string): Promise<string[]> {
  const [{ splitPem, parseCertificate }, { lintAuthority }] = await Promise.all([
    import("../pki/pem.ts"),
    import("../pki/lint.ts"),
  ]);
  const refuse = (why: string): RegctlError =>
    new RegctlError("precondition-failed", `${file}, an authority of client certificates, ${why}`, {
      hint: "correct tls.clientAuthorities in regctl.yaml, or the file; nothing was changed",
    });
  const text = await readIfExists(file);
  if (text === undefined) throw refuse("is missing");
  const pems = splitPem(text);
  if (pems.length === 0) throw refuse("holds no certificate (PEM)");
  for (const pem of pems) {
    const flaw = lintAuthority(parseCertificate(pem)).find(({ severity }) => severity === "error");
    if (flaw !== undefined) throw refuse(`cannot be used: ${flaw.message}`);
  }
  return pems;
}

async function requireRoom(pems: readonly string[]): Promise<void> {
  const { issuerListBytes } = await import("../pki/client.ts");
  const bytes = pems.reduce((sum, pem) => sum + issuerListBytes(pem), 0);
  if (bytes <= ISSUER_LIST_BYTES) return;
  throw new RegctlError(
    "precondition-failed",
    `${pems.length} authorities of clients are more than a handshake can name`,
    {
      hint: "revoke clients that are not needed (`regctl certs clients`), or use an authority of your own for many: tls.clientAuthorities",
    },
  );
}

/** Every authority a registry has to accept, each once, PEM. Throws `precondition-failed` for one that cannot be used, and for too many. */
export async function acceptedAuthorities(
  { config }: Deployment,
  clients: readonly ClientRecord[],
  own: readonly string[],
): Promise<string[]> {
  const given = await Promise.all(config.tls.clientAuthorities.map(readGiven));
  const { splitPem } = await import("../pki/pem.ts");
  const texts = [...own, ...accepted(clients).map(({ authority }) => authority), ...given.flat()];
  const pems = [...new Set(texts.flatMap((text) => splitPem(text)))];
  await requireRoom(pems);
  return pems;
}

/** Works out what the registry has to accept, and makes regctl's own certificate when there is none that serves. */
export async function clientStep(ports: Pick<OperationPorts, "now">, deployment: Deployment): Promise<ClientStep> {
  const { config, directory } = deployment;
  if (config.tls.clientAuth === "off" || config.tls.mode === "none")
    return { authorities: undefined, client: undefined, files: [], changes: [] };
  const known = await readOwnClient(directory);
  const because = await reasonToRenewOwn(known, ports.now());
  const own = known === undefined || because !== undefined ? await issueOwnClient(ports.now()) : known;
  const clients = await readRegister(directory);
  const authorities = (await acceptedAuthorities(deployment, clients, [own.authorityPem])).join("");
  if (because === undefined) return { authorities, client: own, files: [], changes: [] };
  const action = known === undefined ? "create" : "change";
  return {
    authorities,
    client: own,
    files: [ownSecret(FILES.ownClient, ownClientText(own))],
    changes: [{ action, kind: "certificate", name: FILES.ownClient, because }],
  };
}

export async function readRegister(directory: string): Promise<readonly ClientRecord[]> {
  return parseRegister(await readIfExists(join(directory, FILES.clients)));
}
