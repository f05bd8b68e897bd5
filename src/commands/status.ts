import { formatBytes } from "../bytes.ts";
import type { Context } from "../context.ts";
import { renderChanges } from "../deployment/plan.ts";
import { locateDeployment } from "../operations/locate.ts";
import { deploymentStatus, type Status } from "../operations/status.ts";
import { renderFacts, renderTable } from "../terminal/table.ts";

const UNSATISFIED = 3;

function certificateText({ certificate, url }: Status): string {
  if (certificate === null) return url.startsWith("https:") ? "none that can be read" : "none (plain HTTP)";
  return `${certificate.daysLeft} days left (${certificate.notAfter}), covers ${certificate.sans.join(", ")}`;
}

function render(status: Status): string {
  const verdict = status.healthy ? "healthy" : "NOT healthy";
  return [
    renderFacts([
      ["Name", status.name],
      ["URL", status.url],
      ["Health", verdict],
      ["Folder", status.directory],
      ["Certificate", certificateText(status)],
      ["Users", String(status.users)],
      ["Disk", formatBytes(status.disk.bytes)],
    ]),
    "",
    renderTable(
      ["SERVICE", "CONTAINER", "STATE", "PORTS", "IMAGE"],
      status.containers.map((one) => [one.service, one.name, one.state, one.ports.join(", "), one.image]),
    ),
    ...(status.problems.length === 0 ? [] : ["", "Problems:", ...status.problems.map((problem) => `  - ${problem}`)]),
    ...(status.drift.length === 0 ? [] : ["", "Drift (`regctl up` would):", renderChanges(status.drift)]),
  ].join("\n");
}

/** Exit 3 when it is not healthy or not what regctl.yaml says. */
export async function status(context: Context): Promise<number> {
  const directory = await locateDeployment(context, context.options.dir);
  const found = await deploymentStatus(context, directory);
  for (const warning of found.authority?.warnings ?? []) context.output.warn(warning);
  context.output.result("status", found, render(found), found.healthy ? "healthy" : "unhealthy");
  return found.healthy && found.drift.length === 0 ? 0 : UNSATISFIED;
}
