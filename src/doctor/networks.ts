import { BlockList, isIP } from "node:net";

/** Whether one of the addresses lies in a network (`10.0.0.0/8`, `fd00::/8`); false for what is no network. */
export function networkHolds(network: string, addresses: readonly string[]): boolean {
  const [, base = "", bits = ""] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(network) ?? [];
  const family = isIP(base);
  if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return addresses.some((address) => isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6"));
}
