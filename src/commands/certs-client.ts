import { join } from "node:path";
import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { RegctlError } from "../errors.ts";
import { type GivenClient, giveClient, listClients, revokeClient } from "../operations/client-certificates.ts";
import { requireClientName } from "../operations/client-register.ts";
import { withLock } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import type { Secret } from "../secret.ts";
import { renderTable } from "../terminal/table.ts";
import { type PasswordFlags, readPassword } from "./password-input.ts";

export interface ClientFlags extends PasswordFlags {
  readonly days: number;
  readonly output?: string;
  readonly p12?: boolean;
}

async function p12Password(context: Context, flags: ClientFlags): Promise<Secret | undefined> {
  if (flags.p12 !== true) {
    if (flags.passwordFile === undefined && flags.passwordStdin !== true) return undefined;
    throw new RegctlError("usage", "the password is for client.p12, which was not asked for", { hint: "add --p12" });
  }
  const hint = "--p12 --password-file FILE";
  const password =
    flags.passwordFile === undefined && flags.passwordStdin !== true
      ? await context.prompt.password({ message: "Password of client.p12", flag: hint })
      : await readPassword(context, flags, "Password of client.p12");
  if (password !== undefined && password.reveal() !== "") return password;
  throw new RegctlError("input-invalid", "client.p12 holds a private key and needs a password", {
    hint: `give one: ${hint}`,
  });
}

function given({ record, clientAuth }: GivenClient, folder: string): string {
  const off =
    clientAuth === "off"
      ? "\nno client is asked for a certificate yet: set tls.clientAuth: required in regctl.yaml, then `regctl up`"
      : "";
  return `${record.name} has a certificate until ${record.notAfter}, in ${folder}; its README says where the files go${off}`;
}

export async function certsClient(context: Context, name: string, flags: ClientFlags): Promise<void> {
  requireClientName(name);
  const directory = await locateDeployment(context, context.options.dir);
  const folder = context.absolute(flags.output ?? join(".", `client-${name}`));
  const password = await p12Password(context, flags);
  await withLock(context, directory, "certs client", async () => {
    const request = { name, days: flags.days, folder, p12Password: password };
    const result = await giveClient(context, directory, request);
    context.output.note(renderChanges(result.changes));
    const { serial, sha256, issued, notAfter } = result.record;
    const { files, clientAuth, changes } = result;
    context.output.result(
      "certs-client",
      { name, serial, sha256, issued, notAfter, folder, files, clientAuth, changes },
      given(result, folder),
      folder,
    );
  });
}

export async function certsClients(context: Context): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const list = await listClients(context, directory);
  for (const warning of list.warnings) context.output.warn(warning);
  const text =
    list.clients.length === 0
      ? "no client has a certificate; give one out with `regctl certs client NAME`"
      : renderTable(
          ["CLIENT", "STATE", "ENDS", "DAYS", "SERIAL"],
          list.clients.map(({ name, state, notAfter, daysLeft, serial }) => [
            name,
            state,
            notAfter.slice(0, 10),
            String(daysLeft),
            serial,
          ]),
        );
  context.output.result("certs-clients", list, text, list.clients.map(({ name }) => name).join("\n"));
}

export async function certsRevoke(context: Context, name: string): Promise<void> {
  requireClientName(name);
  const directory = await locateDeployment(context, context.options.dir);
  await withLock(context, directory, "certs revoke", async () => {
    const { revoked, changes } = await revokeClient(context, directory, name);
    context.output.note(renderChanges(changes));
    const serials = revoked.map(({ serial, sha256 }) => ({ serial, sha256 }));
    const text =
      revoked.length === 0
        ? `every certificate of ${name} had been revoked before`
        : `revoked ${name} (${revoked.length === 1 ? "one certificate" : `${revoked.length} certificates`}); other clients notice nothing`;
    context.output.result("certs-revoke", { name, revoked: serials, changes }, text, name);
  });
}
