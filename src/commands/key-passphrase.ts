import { readFile } from "node:fs/promises";
import type { Context } from "../context.ts";
import type { Secret } from "../secret.ts";

/** PEM says it in the open (RFC 7468 §11, RFC 1421 Proc-Type); a PKCS#12 nearly always has one. */
async function needsPassphrase(context: Context, file: string): Promise<boolean> {
  const bytes = await readFile(context.absolute(file)).catch(() => Buffer.alloc(0));
  const text = bytes.toString("latin1");
  return (
    text.includes("BEGIN ENCRYPTED PRIVATE KEY") ||
    text.includes("Proc-Type: 4,ENCRYPTED") ||
    /\.(p12|pfx)$/i.test(file)
  );
}

/** Asks only for an encrypted key, and only on a terminal; elsewhere the check names what is missing. */
export async function askPassphrase(context: Context, key: string, certificate: string): Promise<Secret | undefined> {
  if (!context.prompt.isInteractive) return undefined;
  for (const file of new Set([key, certificate])) {
    if (await needsPassphrase(context, file))
      return context.prompt.password({
        message: `Passphrase of ${file}`,
        flag: "a key without one: openssl pkey -in KEY -out NEW",
        allowEmpty: true,
      });
  }
  return undefined;
}
