import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseAddress, probeBind, whoListens } from "../../../src/host/ports.ts";
import { asNobody } from "./as-nobody.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function listen(host: string, port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => resolve((server.address() as AddressInfo).port));
  });
}

describe("whoListens", () => {
  it.each(["127.0.0.1", "127.9.250.3", "0.0.0.0", "::1", "::"])(
    "finds a listener on %s and its process",
    async (address) => {
      const port = await listen(address);
      const listeners = await whoListens(port);
      expect(listeners).toHaveLength(1);
      expect(listeners[0]).toMatchObject({ address, pid: process.pid });
      expect(listeners[0]?.process).not.toBe("");
    },
  );

  it("finds each of several listeners on one port", async () => {
    const port = await listen("127.0.0.2");
    await listen("127.0.0.3", port);
    expect((await whoListens(port)).map((listener) => listener.address).sort()).toEqual(["127.0.0.2", "127.0.0.3"]);
  });

  it("finds nobody on a free port", async () => {
    const port = await listen("127.0.0.1");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await whoListens(port)).toEqual([]);
  });

  it("leaves the process unknown when the socket is another user's", async () => {
    const directory = await mkdtemp(join(tmpdir(), "regctl-proc-"));
    await mkdir(join(directory, "net"));
    const row =
      "   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0";
    await writeFile(join(directory, "net", "tcp"), `  sl  local_address rem_address   st …\n${row}\n`);
    expect(await whoListens(5000, directory)).toEqual([{ address: "127.0.0.1" }]);
    await rm(directory, { recursive: true });
  });
});

describe("parseAddress", () => {
  it.each([
    ["0100007F", "127.0.0.1"],
    ["00000000000000000000000001000000", "::1"],
    ["0000000000000000FFFF00000100007F", "127.0.0.1"],
    ["B80D0120000000000000000001000000", "2001:db8::1"],
  ])("%s is %s", (hex, address) => {
    expect(parseAddress(hex)).toBe(address);
  });
});

describe("probeBind", () => {
  it("finds a port free, and leaves it free", async () => {
    const port = await listen("127.0.0.1");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await probeBind("127.0.0.1", port)).toBeUndefined();
    expect(await probeBind("127.0.0.1", port)).toBeUndefined();
  });

  it("sees a port in use, also by way of the wildcard address", async () => {
    const port = await listen("127.0.0.1");
    expect(await probeBind("127.0.0.1", port)).toBe("in-use");
    expect(await probeBind("0.0.0.0", port)).toBe("in-use");
  });

  it("knows an address this host does not have", async () => {
    expect(await probeBind("192.0.2.1", 5000)).toBe("no-such-address");
  });

  it("knows a port that takes root", async () => {
    expect(await asNobody(() => probeBind("127.0.0.1", 81))).toBe("not-permitted");
  });
});
