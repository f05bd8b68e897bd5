/** regctl's own client certificate: what it shows a registry that wants one. */
import { join } from "node:path";
import type { IssuedClient } from "../pki/client.ts";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { Secret } from "../secret.ts";

/** As long as an authority: it never leaves this host, and lies beside the registry's own keys. */
const LIFETIME_DAYS = 3650;
const RENEW_DAYS = 30;

const KEYS = ["authority", "certificate", "key"] as const;

/** The pair in the deployment folder; undefined when there is none that can be read. */
export async function readOwnClient(directory: string): Promise<IssuedClient | undefined> {
  const text = await readIfExists(join(directory, FILES.ownClient));
  if (text === undefined) return undefined;
  try {
    const [authorityPem, certificatePem, key] = KEYS.map((name) => (JSON.parse(text) as Record<string, unknown>)[name]);
    if (typeof authorityPem !== "string" || typeof certificatePem !== "string" || typeof key !== "string")
      return undefined;
    return { authorityPem, certificatePem, keyPem: new Secret(key) };
  } catch {
    return undefined;
  }
}

export function ownClientText({ authorityPem, certificatePem, keyPem }: IssuedClient): string {
  return `${JSON.stringify({ authority: authorityPem, certificate: certificatePem, key: keyPem.reveal() }, undefined, 2)}\n`;
}

/** Why another one has to be made; undefined = it serves. */
export async function reasonToRenewOwn(client: IssuedClient | undefined, now: Date): Promise<string | undefined> {
  if (client === undefined) return "not found; regctl has to show a client certificate as well";
  const [{ X509Certificate, createPrivateKey }, { isIssuedBy }, { daysLeft }] = await Promise.all([
    import("node:crypto"),
    import("../pki/chain.ts"),
    import("../pki/describe.ts"),
  ]);
  try {
    const certificate = new X509Certificate(client.certificatePem);
    const fits =
      certificate.checkPrivateKey(createPrivateKey(client.keyPem.reveal())) &&
      isIssuedBy(certificate, new X509Certificate(client.authorityPem));
    if (!fits) return "its parts do not belong together";
    return daysLeft(certificate.validTo, now) < RENEW_DAYS ? "it ends soon" : undefined;
  } catch {
    return "it cannot be read";
  }
}

export async function issueOwnClient(now: Date): Promise<IssuedClient> {
  const { issueClient } = await import("../pki/client.ts");
  return issueClient({ name: "regctl", now, lifetimeDays: LIFETIME_DAYS });
}
