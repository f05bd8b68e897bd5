/** Host firewalls that are on, by their own files: asking their programs takes root and time. */
import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface ActiveFirewall {
  readonly kind: "ufw" | "firewalld";
  /** It has a rule about that port, whichever. */
  mentions(port: number): boolean;
}

const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** ufw writes each of its rules into a comment: `### tuple ### allow tcp 5000 0.0.0.0/0 any 0.0.0.0/0 in`. */
async function ufw(root: string): Promise<ActiveFirewall | undefined> {
  if (!/^ENABLED=yes/m.test(await read(join(root, "etc/ufw/ufw.conf")))) return undefined;
  const rules = await Promise.all(["user.rules", "user6.rules"].map((name) => read(join(root, "etc/ufw", name))));
  const tuples = rules.join("\n").matchAll(/^### tuple ### (?:route:)?\w+ \w+ (\S+)/gm);
  const ports = [...tuples].flatMap((tuple) => (tuple[1] ?? "").split(","));
  return { kind: "ufw", mentions: (port) => ports.some((one) => one === "any" || includes(one, port, ":")) };
}

async function firewalld(root: string): Promise<ActiveFirewall | undefined> {
  const isRunning = await access(join(root, "run/firewalld.pid")).then(
    () => true,
    () => false,
  );
  if (!isRunning) return undefined;
  const folder = join(root, "etc/firewalld/zones");
  const names = await readdir(folder).catch(() => []);
  const zones = await Promise.all(names.map((name) => read(join(folder, name))));
  const ports = [...zones.join("\n").matchAll(/<port\b[^>]*\bport="([^"]+)"/g)].map((match) => match[1] ?? "");
  return { kind: "firewalld", mentions: (port) => ports.some((one) => includes(one, port, "-")) };
}

function includes(range: string, port: number, separator: string): boolean {
  const [first, last = first] = range.split(separator).map(Number);
  return first !== undefined && last !== undefined && first <= port && port <= last;
}

/** undefined = none of those known is on. */
export async function activeFirewall(root = "/"): Promise<ActiveFirewall | undefined> {
  return (await ufw(root)) ?? (await firewalld(root));
}
