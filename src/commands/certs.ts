import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { copyAuthority, issueForNames, readAuthority, showChain } from "../operations/certs.ts";
import { withLock } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import type { CertificateInfo } from "../pki/describe.ts";
import { renderFacts } from "../terminal/table.ts";

function renderCertificate(info: CertificateInfo): string {
  return renderFacts([
    ["Subject", info.subject],
    ["Issuer", info.issuer],
    ...(info.sans.length === 0 ? [] : ([["Covers", info.sans.join(", ")]] as const)),
    ["Valid until", `${info.notAfter} (${info.daysLeft < 0 ? "EXPIRED" : `${info.daysLeft} days left`})`],
    ["Key", `${info.keyType} ${info.keyBits ?? ""}`.trim()],
    ["SHA-256", info.sha256],
  ]);
}

export async function certs(context: Context): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const { chain, authorityFile, authority, outlook } = await showChain(context, directory);
  for (const warning of [...outlook.problems, ...outlook.warnings, ...outlook.notes]) context.output.warn(warning);
  const text = [
    ...chain.map(renderCertificate),
    ...(authorityFile === undefined ? [] : [`Clients trust: ${authorityFile}`]),
  ].join("\n\n");
  context.output.result("certs", { chain, caFile: authorityFile ?? null, authority }, text);
}

export async function certsIssue(context: Context, names: readonly string[]): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  await withLock(context, directory, "certs issue", async () => {
    const changes = await issueForNames(context, directory, names);
    const { chain } = await showChain(context, directory);
    context.output.note(renderChanges(changes));
    context.output.result("certs-issue", { changes, chain }, `the certificate covers ${chain[0]?.sans.join(", ")}`);
  });
}

export async function certsCa(context: Context, target: string | undefined): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  if (target === undefined) {
    const pem = await readAuthority(directory);
    context.output.result("certs-ca", { pem }, pem, pem);
    return;
  }
  const file = await copyAuthority(directory, context.absolute(target));
  context.output.result("certs-ca", { file }, `copied to ${file}`, file);
}
