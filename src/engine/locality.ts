import { lookup } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** This host's own addresses, the unspecified ones (which lead to it) included. */
function ownAddresses(): BlockList {
  const own = new BlockList();
  own.addSubnet("127.0.0.0", 8, "ipv4");
  own.addAddress("::1", "ipv6");
  own.addAddress("0.0.0.0", "ipv4");
  own.addAddress("::", "ipv6");
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])) {
    own.addAddress(address, family === "IPv6" ? "ipv6" : "ipv4");
  }
  return own;
}

/** True when every address the name resolves to is one of this host. Rejects as `dns.lookup` does. */
export async function isThisHost(host: string): Promise<boolean> {
  const own = ownAddresses();
  const addresses = await lookup(host, { all: true });
  return addresses.every(({ address }) => own.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
}
