/** The secret that signs the state of uploads: made once, so that an upload survives a restart. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";
import { Secret } from "../secret.ts";

export function newHttpSecret(): Secret {
  return new Secret(randomBytes(32).toString("hex"));
}

export function secretsFileText(httpSecret: Secret): string {
  return `${JSON.stringify({ httpSecret: httpSecret.reveal() })}\n`;
}

/** undefined when there is none, or none that can be read: a new one only ends uploads that are under way. */
export async function loadHttpSecret(directory: string): Promise<Secret | undefined> {
  const text = await readIfExists(join(directory, FILES.secrets));
  if (text === undefined) return undefined;
  try {
    const { httpSecret } = JSON.parse(text) as { httpSecret?: unknown };
    return typeof httpSecret === "string" && /^[0-9a-f]{64}$/.test(httpSecret) ? new Secret(httpSecret) : undefined;
  } catch {
    return undefined;
  }
}
