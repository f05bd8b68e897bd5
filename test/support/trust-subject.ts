/** Subjects of trust kits, and kits made of them, without a deployment. */
import { readFile } from "node:fs/promises";
import { createAuthority } from "../../src/pki/authority.ts";
import { KIT_PARTS, renderKit } from "../../src/trust/kit.ts";
import { type SubjectOptions, type TrustSubject, trustSubject } from "../../src/trust/subject.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

let authority: Promise<string> | undefined;

/** One authority for all tests of a file: its key takes long. */
export function authorityPem(): Promise<string> {
  authority ??= createAuthority({ deploymentName: "acme", now: NOW }).then(({ certificatePem }) => certificatePem);
  return authority;
}

export async function subjectFor(options: Partial<SubjectOptions> = {}): Promise<TrustSubject> {
  const authorityPems = options.authorityPems ?? [await authorityPem()];
  return trustSubject({ name: "acme", port: 5000, hosts: ["registry.test"], now: NOW, ...options, authorityPems });
}

export function partOf(name: string): Promise<string> {
  return readFile(new URL(`../../templates/trust/${name}`, import.meta.url), "utf8");
}

export async function kitFor(subject: TrustSubject, clients: readonly string[] = []): Promise<string> {
  return renderKit(subject, await Promise.all(KIT_PARTS.map(partOf)), clients);
}
