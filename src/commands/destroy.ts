import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { messageOf, RegctlError } from "../errors.ts";
import { loadDeployment, withLockUnless } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { fileRemovals, removalChanges, removeFiles, takeDown } from "../operations/take-down.ts";
import { confirmName } from "./confirm-name.ts";

export interface DestroyFlags {
  readonly data?: boolean;
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

async function agree(context: Context, name: string, directory: string, flags: DestroyFlags): Promise<void> {
  if (flags.data === true) {
    await confirmName(
      context,
      `This removes every image, user and certificate of ${name} (${directory}) for good.`,
      name,
      flags.confirm,
    );
    return;
  }
  const message = `Remove the containers, network and rendered files of ${name}? Images, users, certificates and regctl.yaml are kept`;
  if (context.options.yes || (await context.prompt.confirm({ message, flag: "--yes", default: false }))) return;
  throw new RegctlError("declined", "nothing was changed");
}

/** A job of the host for a registry that is gone would fail every night. */
async function unschedule(context: Context, directory: string): Promise<void> {
  const { removeSchedule } = await import("../operations/schedule.ts");
  try {
    for (const file of await removeSchedule(context, directory)) context.output.note(`removed the schedule ${file}`);
  } catch (error) {
    context.output.warn(`its schedule is still there: ${messageOf(error)}`);
  }
}

export async function destroy(context: Context, flags: DestroyFlags): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const data = flags.data ?? false;
  const dryRun = flags.dryRun ?? false;
  const { config } = await loadDeployment(directory);
  if (!dryRun) await agree(context, config.name, directory, flags);
  await withLockUnless(dryRun, context, directory, "destroy", async () => {
    const deployment = await loadDeployment(directory);
    const files = await fileRemovals(deployment, { data });
    const engine = dryRun ? await removalChanges(context, deployment) : await takeDown(context, deployment);
    const changes = [...engine, ...files];
    if (!dryRun) {
      await unschedule(context, directory);
      await removeFiles(deployment, { data });
    }
    const kept = data
      ? "nothing is left of it"
      : `images, users, certificates and regctl.yaml are kept in ${directory}; \`regctl up\` brings it back`;
    context.output.result(
      "destroy",
      { dryRun, data, changes },
      dryRun ? renderChanges(changes) : `${config.name} is removed; ${kept}`,
    );
  });
}
