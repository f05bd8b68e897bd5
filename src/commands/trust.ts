import { createHash } from "node:crypto";
import type { Context } from "../context.ts";
import { locateDeployment } from "../operations/locate.ts";
import { findTrustSubject, type KitRun, renderShellKit, runKit } from "../operations/trust.ts";
import { makeKit, writeKit } from "../operations/trust-kit.ts";
import type { KitFormat } from "../trust/formats.ts";
import type { TrustSubject } from "../trust/subject.ts";
import { runResult } from "./trust-run.ts";

interface RunFlags {
  readonly client?: string;
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly restart?: boolean;
  readonly user?: boolean;
}

interface KitFlags extends RunFlags {
  readonly output?: string;
  readonly format?: KitFormat;
  readonly overSsh?: string;
}

const PUBLIC =
  "a public authority issued this registry's certificate: clients trust it already, nothing has to be installed";

/** The registry, or an answer that says that clients need nothing. */
async function subjectOrNothing(context: Context, kind: string): Promise<TrustSubject | undefined> {
  const directory = await locateDeployment(context, context.options.dir);
  const subject = await findTrustSubject(context, directory);
  if (subject === undefined) context.output.result(kind, { needed: false, events: [], checks: [] }, PUBLIC);
  return subject;
}

async function runIt(context: Context, kind: string, subject: TrustSubject, run: KitRun): Promise<number> {
  return runResult(context, kind, run, await runKit(context, await renderShellKit(subject), run));
}

function runOf(flags: RunFlags, host?: string): KitRun {
  const { client, dryRun, undo, restart, user } = flags;
  return { mode: "install", host, clients: client, dryRun, undo, restart, user };
}

export async function trustKit(context: Context, flags: KitFlags): Promise<number> {
  const subject = await subjectOrNothing(context, "trust-kit");
  if (subject === undefined) return 0;
  if (flags.overSsh !== undefined) return runIt(context, "trust-kit", subject, runOf(flags, flags.overSsh));
  const { content, format, fileName } = await makeKit(subject, { format: flags.format, clients: flags.client });
  const bytes = Buffer.from(content);
  const data = {
    needed: true,
    format,
    name: subject.name,
    registries: subject.registries,
    authorities: subject.authorities.map(({ subject: who, notAfter, sha256 }) => ({ subject: who, notAfter, sha256 })),
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
  if (flags.output === undefined || flags.output === "-") {
    if (context.output.json)
      context.output.result(
        "trust-kit",
        { ...data, file: null, content: bytes.toString(format === "tar" ? "base64" : "utf8") },
        "",
      );
    else context.output.raw(content);
    return 0;
  }
  const file = await writeKit(context.absolute(flags.output), fileName, bytes);
  const next =
    format === "sh"
      ? `\non the client: sh ${file.split("/").at(-1)} --dry-run, then with sudo and without --dry-run`
      : "";
  context.output.result(
    "trust-kit",
    { ...data, file, content: null },
    `wrote ${file} (SHA-256 ${data.sha256})${next}`,
    file,
  );
  return 0;
}

export async function trustInstall(context: Context, flags: RunFlags): Promise<number> {
  const subject = await subjectOrNothing(context, "trust-install");
  return subject === undefined ? 0 : runIt(context, "trust-install", subject, runOf(flags));
}

export async function trustCheck(
  context: Context,
  flags: { readonly client?: string; readonly user?: boolean; readonly overSsh?: string },
): Promise<number> {
  const subject = await subjectOrNothing(context, "trust-check");
  if (subject === undefined) return 0;
  const run: KitRun = { mode: "check", host: flags.overSsh, clients: flags.client, user: flags.user };
  return runIt(context, "trust-check", subject, run);
}
