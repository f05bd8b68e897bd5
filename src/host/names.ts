import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

export interface NameOnHost {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly inHostsFile: readonly string[];
}

const RESOLVE_WITHIN_MS = 2000;

/** The addresses a hosts file (hosts(5)) gives a name. */
export function addressesInHostsFile(text: string, name: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [address, ...names] = (line.split("#", 1)[0] ?? "").trim().split(/\s+/);
    return address !== undefined && names.some((one) => one.toLowerCase() === name.toLowerCase()) ? [address] : [];
  });
}

/** As programs of this host resolve it; a resolver that is silent for 2 s counts as one that knows nothing. */
export async function resolveName(name: string, hostsFile = "/etc/hosts"): Promise<NameOnHost> {
  const stop = new AbortController();
  const answer = lookup(name, { all: true }).then(
    (found) => found.map(({ address }) => address),
    () => [],
  );
  const late = delay(RESOLVE_WITHIN_MS, [] as string[], { signal: stop.signal, ref: false }).catch(() => []);
  const [addresses, hosts] = await Promise.all([
    Promise.race([answer, late]),
    readFile(hostsFile, "utf8").catch(() => ""),
  ]);
  stop.abort();
  return { name, addresses: [...new Set(addresses)], inHostsFile: addressesInHostsFile(hosts, name) };
}
