import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

const LOOPBACK = /^(127\.|::1$)/;

/** Published ports are forwarded before the host's own rules are asked. */
export const firewall: Check<DeploymentFacts> = {
  id: "firewall",
  title: "the host's firewall and the published port agree",
  async examine(facts) {
    const [{ bind, port }, active] = await Promise.all([facts.config(), facts.firewall()]);
    if (active === undefined || LOOPBACK.test(bind) || active.mentions(port)) return undefined;
    const allow =
      active.kind === "ufw"
        ? `ufw allow ${port}/tcp`
        : `firewall-cmd --permanent --add-port ${port}/tcp && firewall-cmd --reload`;
    return {
      verdict: "warning",
      cause: `${active.kind} has no rule for port ${port}, and the engine publishes it on ${bind} past ${active.kind}: it is open`,
      fix: `is it meant to be open: ${allow}; is it not: bind: 127.0.0.1 in regctl.yaml, then regctl up`,
    };
  },
};
