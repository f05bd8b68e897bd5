import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { loadDeployment, withLockUnless } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { removalChanges, takeDown } from "../operations/take-down.ts";

export async function down(context: Context, flags: { readonly dryRun?: boolean }): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const dryRun = flags.dryRun ?? false;
  await withLockUnless(dryRun, context, directory, "down", async () => {
    const deployment = await loadDeployment(directory);
    const changes = dryRun ? await removalChanges(context, deployment) : await takeDown(context, deployment);
    const text =
      changes.length === 0
        ? "no changes"
        : dryRun
          ? renderChanges(changes)
          : `${deployment.config.name} is down; its images, users and certificates are kept in ${directory}`;
    context.output.result("down", { dryRun, changes }, text);
  });
}
