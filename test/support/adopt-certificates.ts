import { cp } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import type {} from "./shared-certificates.ts";

/** Gives a folder certificates for localhost, before `init`, which adopts them. */
export async function adoptCertificates(directory: string): Promise<void> {
  await cp(inject("certificates"), join(directory, "certs"), { recursive: true });
}
