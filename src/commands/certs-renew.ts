import type { Context } from "../context.ts";
import { type Change, renderChanges } from "../deployment/plan.ts";
import { renewCertificate, showChain } from "../operations/certs.ts";
import { withLockUnless } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { type Due, plannedRenewal, renewIfDue } from "../operations/renewal.ts";

export interface RenewFlags {
  readonly ifDue?: boolean;
  readonly dryRun?: boolean;
}

const UNSATISFIED = 3;

function words(
  due: (Due & { readonly isDown: boolean }) | undefined,
  changes: readonly Change[],
  notAfter: string | undefined,
): string {
  if (changes.length > 0) {
    return due === undefined || due.isDue
      ? `renewed under the same authority, clients notice nothing: valid until ${notAfter}`
      : `not due, ${due.daysLeft} days left; the registry serves it now, after an earlier renewal was interrupted`;
  }
  if (due === undefined) return "no changes";
  if (!due.isDue) return `not due, ${due.daysLeft} days left (renewed below ${due.belowDays})`;
  const left = due.daysLeft < 0 ? `expired since ${due.notAfter}` : `due, ${due.daysLeft} days left`;
  const state = due.isDown ? `${left}; the registry is down, and is renewed once it runs (\`regctl up\`)` : left;
  return due.blocked === undefined ? state : `${state}: ${due.blocked.why}\n${due.blocked.fix}`;
}

/** A new certificate; with `ifDue` exit 3 when it is due and regctl cannot renew it. */
export async function certsRenew(context: Context, flags: RenewFlags): Promise<number> {
  const directory = await locateDeployment(context, context.options.dir);
  const dryRun = flags.dryRun ?? false;
  return withLockUnless(dryRun, context, directory, "certs renew", async () => {
    let due: (Due & { readonly isDown: boolean }) | undefined;
    let changes: readonly Change[];
    if (flags.ifDue === true) {
      const done = await renewIfDue(context, directory, dryRun);
      due = { ...done.due, isDown: done.isDown };
      changes = done.changes;
    } else changes = dryRun ? await plannedRenewal(directory) : await renewCertificate(context, directory);
    const { chain } = await showChain(context, directory);
    const isOwed = due?.isDue === true && due.blocked !== undefined;
    const data = { dryRun, changes, chain, ...(due === undefined ? {} : { due: due.isDue, belowDays: due.belowDays }) };
    const text = dryRun && changes.length > 0 ? renderChanges(changes) : words(due, changes, chain[0]?.notAfter);
    context.output.result("certs-renew", data, text);
    return isOwed ? UNSATISFIED : 0;
  });
}
