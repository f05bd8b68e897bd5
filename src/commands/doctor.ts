import type { Context } from "../context.ts";
import type { Examined } from "../doctor/run-checks.ts";
import { messageOf, RegctlError } from "../errors.ts";
import {
  type DoctorReport,
  endpointSubject,
  examineEndpoint,
  examineOwn,
  readAuthorityFile,
} from "../operations/doctor.ts";
import { locateDeployment } from "../operations/locate.ts";
import { accessFlags } from "./access-flags.ts";
import { renderExamined } from "./doctor-text.ts";
import type { PasswordFlags } from "./password-input.ts";

export interface DoctorFlags extends PasswordFlags {
  readonly fromClient?: string;
  readonly ca?: string;
  readonly user?: string;
  readonly fix?: boolean;
}

/** What `--fix` did to one finding. */
interface Repair {
  readonly id: string;
  readonly outcome: "repaired" | "failed";
  readonly message: string;
}

const UNSATISFIED = 3;

async function repairAll(context: Context, found: readonly Examined[]): Promise<Repair[]> {
  const mendable = found.filter(({ repair }) => repair !== undefined);
  if (mendable.length === 0) return [];
  for (const { id, cause } of mendable) context.output.note(`to mend: ${id}: ${cause}`);
  const isMeant =
    context.options.yes ||
    (await context.prompt.confirm({ message: `Mend ${mendable.length}?`, flag: "--yes", default: true }));
  if (!isMeant) throw new RegctlError("declined", "nothing was changed");
  const done: Repair[] = [];
  // One after the other: they may work on the same files.
  for (const { id, repair } of mendable) {
    context.signal.throwIfAborted();
    try {
      done.push({ id, outcome: "repaired", message: (await repair?.()) ?? "" });
    } catch (error) {
      if (context.signal.aborted) throw error;
      done.push({ id, outcome: "failed", message: messageOf(error) });
    }
  }
  for (const { id, outcome, message } of done) context.output.note(`${outcome} ${id}: ${message}`);
  return done;
}

async function examination(context: Context, flags: DoctorFlags): Promise<() => Promise<DoctorReport>> {
  const { login } = await accessFlags(context, flags);
  if (flags.fromClient === undefined) {
    if (flags.ca !== undefined)
      throw new RegctlError("usage", "--ca is for --from-client: a deployment has its own CA", {
        hint: "add --from-client URL, or leave out --ca",
      });
    const directory = await locateDeployment(context, context.options.dir);
    return () => examineOwn(context, directory, login);
  }
  const authorityPem = flags.ca === undefined ? undefined : await readAuthorityFile(context.absolute(flags.ca));
  const subject = endpointSubject(flags.fromClient, { authorityPem, login });
  return () => examineEndpoint(context, subject);
}

/** Exit 3 when a check is broken or warns; what could not be looked at alone is no failure. */
export async function doctor(context: Context, flags: DoctorFlags): Promise<number> {
  const examine = await examination(context, flags);
  const first = await examine();
  const repairs = flags.fix === true ? await repairAll(context, first.checks) : [];
  const report = repairs.length === 0 ? first : await examine();
  const { worst } = report;
  const checks = report.checks.map(({ repair, ...one }) => ({ ...one, repairable: repair !== undefined }));
  const text = renderExamined(report, { verbose: context.options.verbose });
  context.output.result("doctor", { ...report, checks, repairs }, text, worst);
  return worst === "broken" || worst === "warning" ? UNSATISFIED : 0;
}
