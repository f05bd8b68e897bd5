import { FILES } from "../../project/paths.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts, PresentFile } from "../deployment-facts.ts";

const SECRETS: ReadonlySet<string> = new Set([
  FILES.key,
  FILES.authorityKey,
  FILES.secrets,
  FILES.htpasswd,
  FILES.registryConfig,
]);
const OTHERS = 0o077;

async function open(facts: DeploymentFacts): Promise<PresentFile[]> {
  const files = await facts.files();
  return files.filter(({ path, kind, mode }) => SECRETS.has(path) && kind === "file" && (mode & OTHERS) !== 0);
}

export const secretFiles: Check<DeploymentFacts> = {
  id: "secret-files",
  title: "keys, passwords and secrets are for their owner alone",
  async examine(facts) {
    const found = await open(facts);
    if (found.length === 0) return undefined;
    const seen = found.map(({ path, mode }) => `${path} (${mode.toString(8).padStart(4, "0")})`).join(", ");
    const cause = `others of this host may read or write ${seen}`;
    return { verdict: "warning", cause, fix: `chmod 600 ${found.map(({ absolutePath }) => absolutePath).join(" ")}` };
  },
  async repair(facts) {
    return facts.mends.protect((await open(facts)).map(({ absolutePath }) => ({ absolutePath, mode: 0o600 })));
  },
};
