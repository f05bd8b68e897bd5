import { shownName } from "../../shown-name.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const ALLOWED: ReadonlySet<string> = new Set(["container_file_t", "svirt_sandbox_file_t", "container_share_t"]);

export const selinux: Check<DeploymentFacts> = {
  id: "selinux",
  title: "SELinux lets the container at its files",
  async examine(facts) {
    const type = await facts.selinuxType();
    if (type === undefined || ALLOWED.has(type) || !(await facts.engineDetails()).labelsWithSelinux) return undefined;
    const { data } = await facts.config();
    const paths = [
      ...new Set([`${facts.directory}/registry`, `${facts.directory}/auth`, `${facts.directory}/certs`, data]),
    ];
    return {
      verdict: "broken",
      cause: `SELinux is enforced, and ${data} is labelled ${shownName(type)}: containers may not read or write that`,
      fix: `for f in ${paths.join(" ")}; do semanage fcontext -a -t container_file_t "$f(/.*)?"; done; restorecon -R ${paths.join(" ")}`,
    };
  },
};
