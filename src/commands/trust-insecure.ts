import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import { withLock } from "../operations/deployment.ts";
import { locateDeployment } from "../operations/locate.ts";
import { changeInsecure, explainInsecure } from "../operations/trust-insecure.ts";

export async function trustInsecure(context: Context): Promise<void> {
  const text = explainInsecure();
  context.output.result("trust-insecure", { explanation: text }, text);
}

async function change(context: Context, action: "install" | "remove"): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  if (action === "install" && !context.options.yes) {
    const message =
      "The engine of this machine will take any certificate for this registry, and plain HTTP. Switch its checks off?";
    if (!(await context.prompt.confirm({ message, flag: "--yes", default: false })))
      throw new RegctlError("declined", "nothing was changed", {
        hint: "regctl trust install has the engine check instead",
      });
  }
  await withLock(context, directory, `trust insecure ${action}`, async () => {
    const changed = await changeInsecure(context, directory, action);
    const { file, registries, reloaded } = changed;
    const list = registries.join(", ");
    const done = action === "install" ? `added ${list} to` : `removed ${list} from`;
    const told = reloaded ? "the engine has read it" : "no engine runs here; it is read when one starts";
    const text =
      registries.length === 0 ? `nothing to do in ${file}` : `${done} insecure-registries in ${file}; ${told}`;
    context.output.result(`trust-insecure-${action}`, changed, text);
  });
}

export const trustInsecureInstall = (context: Context): Promise<void> => change(context, "install");
export const trustInsecureRemove = (context: Context): Promise<void> => change(context, "remove");
