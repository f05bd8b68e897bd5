import { randomBytes } from "node:crypto";
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { addressAfter, freeSubnet } from "./addresses.ts";
import { mustRun, type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";

/** Another "machine": its own interfaces, one cable to this host, and its own /etc/hosts. */
export interface NetworkNamespace extends AsyncDisposable {
  readonly name: string;
  /** Its own address. */
  readonly address: string;
  /** This host as seen from inside; ports published on all addresses answer there. */
  readonly hostAddress: string;
  /** The argv that runs a program inside. */
  argv(command: string, args: readonly string[]): string[];
  run(command: string, args: readonly string[], options?: Omit<ProgramOptions, "inside">): Promise<ProgramResult>;
}

/**
 * Makes a network namespace joined to this host by a veth pair. `hosts` maps names to addresses for programs inside
 * (`HOST` stands for this host's address as seen from there).
 */
export async function networkNamespace(hosts: Readonly<Record<string, string>> = {}): Promise<NetworkNamespace> {
  const suffix = randomBytes(4).toString("hex");
  const name = `regctl-test-${suffix}`;
  const [outer, inner] = [`rto${suffix}`, `rti${suffix}`];
  const subnet = await freeSubnet();
  const hostAddress = addressAfter(subnet, 1);
  const address = addressAfter(subnet, 2);
  const folder = join("/etc/netns", name);
  const namespace: NetworkNamespace = {
    name,
    address,
    hostAddress,
    argv: (command, args) => ["ip", "netns", "exec", name, command, ...args],
    run: (command, args, options = {}) => runProgram(command, args, { ...options, inside: namespace }),
    async [Symbol.asyncDispose]() {
      // Removing the outer end removes both; the namespace alone would live on while a process is inside.
      await runProgram("ip", ["link", "del", outer]);
      await runProgram("ip", ["netns", "del", name]);
      await rm(folder, { recursive: true, force: true });
      // Not empty means that other namespaces keep files there.
      await rmdir(dirname(folder)).catch(() => {});
    },
  };
  try {
    await mkdir(folder, { recursive: true });
    const lines = Object.entries(hosts).map(([host, at]) => `${at === "HOST" ? hostAddress : at} ${host}\n`);
    await writeFile(join(folder, "hosts"), `127.0.0.1 localhost\n${lines.join("")}`);
    await mustRun("ip", ["netns", "add", name]);
    await mustRun("ip", ["link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name]);
    await mustRun("ip", ["addr", "add", `${hostAddress}/30`, "dev", outer]);
    await mustRun("ip", ["link", "set", outer, "up"]);
    await mustRun("ip", ["-n", name, "addr", "add", `${address}/30`, "dev", inner]);
    await mustRun("ip", ["-n", name, "link", "set", inner, "up"]);
    await mustRun("ip", ["-n", name, "link", "set", "lo", "up"]);
    await mustRun("ip", ["-n", name, "route", "add", "default", "via", hostAddress]);
    return namespace;
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}
