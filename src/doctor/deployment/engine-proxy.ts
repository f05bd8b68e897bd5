import { hostAndPort } from "../../config/config.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

/** As Go's httpproxy reads it: names and what is below them, addresses, `*`, each with a port or without. */
export function isExempt(noProxy: string, host: string, port: number): boolean {
  if (host === "localhost" || /^127\.|^::1$/.test(host)) return true;
  return noProxy.split(",").some((entry) => {
    const text = entry.trim().toLowerCase();
    if (text === "*") return true;
    const [, name = text, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
    if (name === "" || (onlyPort !== undefined && Number(onlyPort) !== port)) return false;
    const bare = name.replace(/^\*?\./, "");
    return host.toLowerCase() === bare || host.toLowerCase().endsWith(`.${bare}`);
  });
}

export const engineProxy: Check<DeploymentFacts> = {
  id: "engine-proxy",
  title: "the engine reaches the registry without a proxy",
  async examine(facts) {
    const [config, { httpProxy, httpsProxy, noProxy }] = await Promise.all([facts.config(), facts.engineDetails()]);
    const proxy = config.tls.mode === "none" ? httpProxy : httpsProxy;
    if (proxy === "" || isExempt(noProxy, config.domain, config.port)) return undefined;
    return {
      verdict: "warning",
      cause: `this host's engine asks a proxy for ${hostAndPort(config)}: its own pulls and pushes go there, or fail`,
      fix: `add ${config.domain} to NO_PROXY of the engine (systemctl edit docker, or "proxies" in daemon.json), then: systemctl restart docker`,
    };
  },
};
