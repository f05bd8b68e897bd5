import type { Context } from "../context.ts";
import { listedDeployments } from "../operations/status.ts";
import { renderTable } from "../terminal/table.ts";

export async function ls(context: Context): Promise<void> {
  const deployments = await listedDeployments(context);
  const rows = deployments.map(({ name, directory, containers }) => [
    name,
    containers.map((one) => one.state).join(", "),
    containers.flatMap((one) => one.ports).join(", "),
    directory,
  ]);
  const text =
    rows.length === 0
      ? "no deployment on this engine; make one with `regctl init`"
      : renderTable(["NAME", "STATE", "PORTS", "FOLDER"], rows);
  context.output.result("ls", { deployments }, text, deployments.map(({ name }) => name).join("\n"));
}
