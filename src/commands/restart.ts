import type { Context } from "../context.ts";
import { withLock } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { restart as restartContainers } from "../operations/take-down.ts";

export async function restart(context: Context): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  await withLock(context, directory, "restart", async () => {
    const containers = await restartContainers(context, directory);
    context.output.result("restart", { containers }, `restarted ${containers.join(", ")}`);
  });
}
