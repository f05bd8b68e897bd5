import type { Change } from "../../deployment/plan.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const SHOWN = 3;

/** What has a check of its own. */
async function others(facts: DeploymentFacts): Promise<readonly Change[]> {
  const edited = new Set((await facts.editedFiles()).map(({ path }) => path));
  return (await facts.changes()).filter(
    ({ action, kind, name, because }) =>
      !(action === "create" && (kind === "container" || kind === "network")) &&
      !(kind === "container" && /^is [a-z]+$/.test(because)) &&
      kind !== "certificate" &&
      !edited.has(name) &&
      !because.startsWith("does not belong to "),
  );
}

export const drift: Check<DeploymentFacts> = {
  id: "drift",
  title: "what runs is what regctl.yaml says",
  async examine(facts) {
    const changes = await others(facts);
    if (changes.length === 0) return undefined;
    const shown = changes
      .slice(0, SHOWN)
      .map(({ action, kind, name, because }) => `${action} ${kind} ${name} (${because})`);
    const more = changes.length > SHOWN ? ` and ${changes.length - SHOWN} more` : "";
    return { verdict: "warning", cause: `\`regctl up\` would ${shown.join(", ")}${more}`, fix: "regctl up" };
  },
  repair: (facts) => facts.mends.up(),
};
