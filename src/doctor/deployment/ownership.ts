import { RegctlError } from "../../errors.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts, PresentFile } from "../deployment-facts.ts";

const READ_BY_REGISTRY = /^(registry(\/config\.yml)?|auth(\/htpasswd)?|certs(\/domain\.key)?|data(\/.+)?)$/;
const SHOWN = 3;

async function foreign(facts: DeploymentFacts): Promise<readonly PresentFile[]> {
  const { user } = await facts.config();
  return (await facts.files()).filter(({ path, uid }) => READ_BY_REGISTRY.test(path) && uid !== user.uid);
}

/** Who the container runs as has to own what it reads and writes: it has no other rights. */
export const ownership: Check<DeploymentFacts> = {
  id: "ownership",
  title: "what the registry reads and writes belongs to who it runs as",
  async examine(facts) {
    const found = await foreign(facts);
    if (found.length === 0) return undefined;
    const { user } = await facts.config();
    const shown = found
      .slice(0, SHOWN)
      .map(({ path, uid }) => `${path} (uid ${uid})`)
      .join(", ");
    const owner = `${user.uid}:${user.gid}`;
    const data = found.filter(({ path }) => path.startsWith("data/"));
    return {
      verdict: "broken",
      cause: `the registry runs as ${owner}, and ${shown}${found.length > SHOWN ? ` and ${found.length - SHOWN} more` : ""} belong${found.length === 1 ? "s" : ""} to somebody else`,
      fix:
        data.length === 0 || found.some(({ path }) => path === "data")
          ? "sudo regctl up"
          : `sudo chown -R -h ${owner} ${data.map(({ absolutePath }) => absolutePath).join(" ")}`,
    };
  },
  repair(facts) {
    if (facts.isRoot) return facts.mends.up();
    throw new RegctlError("permission-denied", "only root can give files to somebody else", { hint: "sudo regctl up" });
  },
};
