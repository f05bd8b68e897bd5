import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** They are written anew by the next `up`, and until the next start nobody sees what the edit does. */
export const editedFiles: Check<DeploymentFacts> = {
  id: "edited-files",
  title: "rendered files were not edited by hand",
  async examine(facts) {
    const edited = await facts.editedFiles();
    if (edited.length === 0) return undefined;
    const shown = edited.map(({ path, because }) => `${path} (${because})`).join(", ");
    return {
      verdict: "warning",
      cause: `edited by hand: ${shown}; the next \`regctl up\` takes it back`,
      fix: "make the change in regctl.yaml, under registry:, then: regctl up",
    };
  },
};
