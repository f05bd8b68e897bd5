import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { RegctlError, systemCodeOf } from "../errors.ts";

/** A listening TCP socket; the process is known only to root and to its owner. */
export interface Listener {
  readonly address: string;
  readonly pid?: number;
  /** The kernel's name of it, at most 15 characters: `nginx`, `docker-proxy`. */
  readonly process?: string;
}

export type BindProblem = "in-use" | "not-permitted" | "no-such-address";

const LISTEN = "0A";

/** Who listens on a TCP port of this host, from `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)). */
export async function whoListens(port: number, procDirectory = "/proc"): Promise<Listener[]> {
  const sockets: { readonly address: string; readonly inode: string }[] = [];
  for (const table of ["tcp", "tcp6"]) {
    const text = await readOrEmpty(join(procDirectory, "net", table));
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      const [hexAddress = "", hexPort = ""] = local.split(":");
      if (state === LISTEN && Number.parseInt(hexPort, 16) === port)
        sockets.push({ address: parseAddress(hexAddress), inode });
    }
  }
  if (sockets.length === 0) return [];
  const owners = await findOwners(new Set(sockets.map((socket) => socket.inode)), procDirectory);
  return sockets.map(({ address, inode }) => ({ address, ...owners.get(inode) }));
}

/** Binds and closes at once: the only answer that counts. undefined = the port is free for this user. */
export function probeBind(address: string, port: number): Promise<BindProblem | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause) => {
      const problem = BIND_PROBLEMS[systemCodeOf(cause) ?? ""];
      if (problem) resolve(problem);
      else reject(new RegctlError("operation-failed", `cannot try ${address}:${port}: ${cause.message}`, { cause }));
    });
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

const BIND_PROBLEMS: Readonly<Record<string, BindProblem>> = {
  EADDRINUSE: "in-use",
  EACCES: "not-permitted",
  EPERM: "not-permitted",
  EADDRNOTAVAIL: "no-such-address",
  EAFNOSUPPORT: "no-such-address",
  ENOTFOUND: "no-such-address",
};

async function findOwners(
  inodes: ReadonlySet<string>,
  procDirectory: string,
): Promise<Map<string, { pid: number; process: string }>> {
  const owners = new Map<string, { pid: number; process: string }>();
  const pids = (await readdir(procDirectory)).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const directory = join(procDirectory, pid, "fd");
    const descriptors = await readdir(directory).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(join(directory, descriptor)).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode === undefined || !inodes.has(inode) || owners.has(inode)) continue;
      owners.set(inode, { pid: Number(pid), process: (await readOrEmpty(join(procDirectory, pid, "comm"))).trim() });
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

/** The kernel prints an address as 32-bit words in host byte order, which is little-endian wherever Node runs today. */
export function parseAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  bytes.swap32();
  if (bytes.length === 4) return bytes.join(".");
  if (hex.slice(0, 24) === "0000000000000000FFFF0000") return bytes.subarray(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(":");
  return new URL(`http://[${groups}]/`).hostname.slice(1, -1);
}

/** A table is missing when the kernel has no IPv6; a process may end between two reads. */
function readOrEmpty(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
