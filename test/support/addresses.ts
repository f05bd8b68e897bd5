import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { mustRun, runProgram } from "./run-program.ts";

/** Four consecutive addresses `10.253.x.y`..`y+3` (a /30) that no interface or route of this host has now. */
export async function freeSubnet(): Promise<string> {
  const taken = (await mustRun("ip", ["-o", "addr"])).stdout + (await mustRun("ip", ["route"])).stdout;
  for (let attempt = 0; attempt < 100; attempt++) {
    const prefix = `10.253.${randomInt(1, 255)}`;
    if (!taken.includes(`${prefix}.`)) return `${prefix}.${randomInt(0, 63) * 4}`;
  }
  throw new Error("every 10.253.x.0/24 is taken on this host");
}

/** The n-th address after `base`, which ends with a byte that leaves room. */
export function addressAfter(base: string, n: number): string {
  const bytes = base.split(".").map(Number);
  return [...bytes.slice(0, 3), (bytes[3] as number) + n].join(".");
}

export interface HostAddress extends AsyncDisposable {
  readonly address: string;
}

/**
 * An address of this host outside 127.0.0.0/8, at which every port published on all addresses (or on this one) is
 * reachable. To an engine a registry there is a real one: it insists on a certificate it trusts, whereas a registry whose
 * name resolves into 127.0.0.0/8 is "insecure" and accepted with any certificate.
 */
export async function hostAddress(): Promise<HostAddress> {
  const address = addressAfter(await freeSubnet(), 1);
  await mustRun("ip", ["addr", "add", `${address}/32`, "dev", "lo"]);
  return {
    address,
    async [Symbol.asyncDispose]() {
      await runProgram("ip", ["addr", "del", `${address}/32`, "dev", "lo"]);
    },
  };
}

/** A TCP port that nothing on this host listens on now, below the range the kernel hands out by itself. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await canListen(port)) return port;
  }
  throw new Error("no free port between 20000 and 32000");
}

/** As many different ones as there are names. */
export async function freePorts(names: readonly string[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const name of names) {
    let port = await freePort();
    while ([...ports.values()].includes(port)) port = await freePort();
    ports.set(name, port);
  }
  return ports;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0" }, () => server.close(() => resolve(true)));
  });
}
