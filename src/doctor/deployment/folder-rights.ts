import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts, PresentFile } from "../deployment-facts.ts";

const OF_OTHERS = 0o022;
const FOLDERS: ReadonlySet<string> = new Set([
  ".",
  ".regctl",
  "certs",
  "auth",
  "registry",
  "data",
  "regctl.yaml",
  "compose.yaml",
]);

async function open(facts: DeploymentFacts): Promise<PresentFile[]> {
  return (await facts.files()).filter(
    ({ path, kind, mode }) => FOLDERS.has(path) && kind !== "link" && (mode & OF_OTHERS) !== 0,
  );
}

/** Whoever may write there decides what the registry serves, and what root does. */
export const folderRights: Check<DeploymentFacts> = {
  id: "folder-rights",
  title: "nobody else may write to the deployment's folders",
  async examine(facts) {
    const found = await open(facts);
    if (found.length === 0) return undefined;
    const seen = found.map(({ path, mode }) => `${shownName(path)} (${mode.toString(8).padStart(4, "0")})`).join(", ");
    const paths = found.map(({ absolutePath }) => shownName(absolutePath)).join(" ");
    return { verdict: "warning", cause: `others may write to ${seen}`, fix: `chmod go-w ${paths}` };
  },
  async repair(facts) {
    const found = await open(facts);
    return facts.mends.protect(found.map(({ absolutePath, mode }) => ({ absolutePath, mode: mode & ~OF_OTHERS })));
  },
};
