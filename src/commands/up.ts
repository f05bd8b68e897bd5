import { registryUrl } from "../config/config.ts";
import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { loadDeployment, withLockUnless } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { clearUnfinishedMark } from "../operations/unfinished-init.ts";
import { bringUp } from "../operations/up.ts";

export async function up(
  context: Context,
  flags: { readonly dryRun?: boolean; readonly offline?: boolean },
): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const dryRun = flags.dryRun ?? false;
  await withLockUnless(dryRun, context, directory, "up", async () => {
    const deployment = await loadDeployment(directory);
    const changes = await bringUp(context, deployment, {
      dryRun,
      offline: flags.offline ?? false,
      onChanges: (planned) => {
        if (!dryRun) context.output.note(renderChanges(planned));
      },
    });
    if (!dryRun && (await clearUnfinishedMark(directory))) {
      context.output.note(
        "init was interrupted before it could show a password; set one: regctl passwd NAME (`regctl users` lists them)",
      );
    }
    const text =
      changes.length === 0
        ? "no changes"
        : dryRun
          ? renderChanges(changes)
          : `${deployment.config.name} is up: ${registryUrl(deployment.config)}`;
    context.output.result("up", { dryRun, changes }, text);
  });
}
