import { isIP } from "node:net";
import { isLoopback } from "../../probe/address.ts";
import type { Check } from "../check.ts";
import { quoted, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { networkHolds } from "../networks.ts";

/** Whether NO_PROXY leaves the registry out, read as Go does (golang.org/x/net/http/httpproxy). */
function isExcepted(list: string, { target: { host, port }, resolution }: EndpointFacts): boolean {
  if (host === "localhost" || isLoopback(host)) return true;
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = entry, itsPort] = /^(.*?):(\d+)$/.exec(isIP(entry) === 6 ? "" : entry) ?? [];
      if (itsPort !== undefined && Number(itsPort) !== port) return false;
      if (name.includes("/")) return isIP(host) !== 0 && networkHolds(name, resolution.addresses);
      const suffix = name.replace(/^\*?\./, "");
      return name === host || host.endsWith(`.${suffix}`) || (name === suffix && host === suffix);
    });
}

export const environmentProxy: Check<EndpointFacts> = {
  id: "environment-proxy",
  title: "no proxy stands between this machine and the registry",
  async examine(facts) {
    const { target, client } = facts;
    const { proxies } = client;
    const names = target.scheme === "https" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
    const variable = names.find((name) => proxies[name] !== undefined);
    const exceptions = proxies.no_proxy ?? proxies.NO_PROXY ?? "";
    if (variable === undefined || isExcepted(exceptions, facts)) return undefined;
    return warning(
      `${variable} sends clients of this shell to ${quoted(proxies[variable] ?? "")} for ${target.host}, and NO_PROXY does not leave it out; regctl looked past the proxy`,
      `on this machine: export NO_PROXY=${exceptions === "" ? "" : `${exceptions},`}${target.host}`,
      `for dockerd, which has variables of its own (systemctl show --property Environment docker): "proxies": {"no-proxy": "${target.host}"} in /etc/docker/daemon.json, then restart it`,
    );
  },
};
