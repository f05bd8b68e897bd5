/** Addresses, routes and interfaces of this host, from the kernel's own files. */
import { readdir, readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

export interface Route {
  /** `10.8.0.0/24`. */
  readonly subnet: string;
  /** Interface: `tun0`. */
  readonly through: string;
}

const DEFAULT_SUBNET = "0.0.0.0/0";
/** RTF_REJECT: nothing goes there. */
const REJECT = 0x200;

function addressOf(hex: string): string {
  return [...Buffer.from(hex, "hex")].reverse().join(".");
}

function bitsOf(hex: string): number {
  return [...Buffer.from(hex, "hex")].reduce((bits, byte) => bits + byte.toString(2).replaceAll("0", "").length, 0);
}

/** The IPv4 routes of `/proc/net/route` (the kernel's net/ipv4/fib_trie.c), the default one among them as `0.0.0.0/0`. */
export function parseRoutes(text: string): Route[] {
  return text.split("\n").flatMap((line, index): Route[] => {
    const [through = "", destination = "", , flags = "", , , , mask = ""] = line.trim().split(/\s+/);
    if (index === 0 || destination === "" || (Number.parseInt(flags, 16) & REJECT) !== 0) return [];
    return [{ subnet: `${addressOf(destination)}/${bitsOf(mask)}`, through }];
  });
}

/**
 * The IPv4 addresses this host takes as its own, of `/proc/net/fib_trie`: also those of interfaces without a carrier, such as
 * an engine's bridge no container is on, which `os.networkInterfaces` leaves out.
 */
export function parseLocalAddresses(text: string): string[] {
  const found = new Set<string>();
  let address = "";
  for (const line of text.split("\n")) {
    address = /\|-- (\S+)/.exec(line)?.[1] ?? address;
    if (/\/32 host LOCAL/.test(line)) found.add(address);
  }
  return [...found];
}

export interface NetworkOfHost {
  readonly addresses: readonly string[];
  /** Without the default. */
  readonly routes: readonly Route[];
  readonly uplink: string | undefined;
  readonly mtus: ReadonlyMap<string, number>;
}

/** What is not readable is left out: a container has no /sys, say. */
export async function readNetwork(root = "/"): Promise<NetworkOfHost> {
  const routes = parseRoutes(await readFile(join(root, "proc/net/route"), "utf8").catch(() => ""));
  const local = parseLocalAddresses(await readFile(join(root, "proc/net/fib_trie"), "utf8").catch(() => ""));
  const up = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  const folder = join(root, "sys/class/net");
  const names = await readdir(folder).catch(() => []);
  const mtus = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name, "mtu"), "utf8").catch(() => "");
      return [name, Number(text)] as const;
    }),
  );
  return {
    addresses: [...new Set([...up, ...local])],
    routes: routes.filter(({ subnet }) => subnet !== DEFAULT_SUBNET),
    uplink: routes.find(({ subnet }) => subnet === DEFAULT_SUBNET)?.through,
    mtus: new Map(mtus.filter(([, mtu]) => mtu > 0)),
  };
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Whether two IPv4 networks (`172.18.0.0/16`) have an address in common; of other kinds nothing is known. */
export function overlap(one: string, other: string): boolean {
  const ranges = [one, other].map((subnet) => {
    const [address = "", bits = ""] = subnet.split("/");
    const first = isIPv4(address) && bits !== "" ? numberOf(address) : Number.NaN;
    return { first, last: first + 2 ** (32 - Number(bits)) - 1 };
  });
  const [a, b] = ranges;
  if (a === undefined || b === undefined || ranges.some(({ first, last }) => Number.isNaN(first + last))) return false;
  return a.first <= b.last && b.first <= a.last;
}
