import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMountedReadOnly } from "../../../src/host/mounts.ts";
import { addressesInHostsFile, resolveName } from "../../../src/host/names.ts";
import { overlap, parseRoutes, readNetwork } from "../../../src/host/routes.ts";
import { mustRun } from "../../support/run-program.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

describe("routes", () => {
  it("are read as the kernel prints them; what leads nowhere is left out", () => {
    const text = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
tun0	0000080A	00000000	0001	0	0	0	00FFFFFF	0	0	0
lo	0000FE0A	00000000	0201	0	0	0	0000FFFF	0	0	0
`;
    expect(parseRoutes(text)).toEqual([
      { subnet: "0.0.0.0/0", through: "eth0" },
      { subnet: "10.8.0.0/24", through: "tun0" },
    ]);
  });

  it("of this host are what `ip` says", async () => {
    const { uplink, routes, mtus } = await readNetwork();
    const { stdout } = await mustRun("ip", ["-o", "-4", "route", "show", "default"]);
    expect(uplink).toBe(/ dev (\S+)/.exec(stdout)?.[1]);
    expect(routes.every(({ subnet }) => subnet !== "0.0.0.0/0")).toBe(true);
    expect(mtus.get("lo")).toBe(65_536);
  });
});

describe("addresses of this host", () => {
  it("are all that `ip` lists, also of interfaces that are down, and no broadcast address", async () => {
    const { addresses } = await readNetwork();
    const { stdout } = await mustRun("ip", ["-o", "-4", "address"]);
    const listed = [...stdout.matchAll(/ inet ([\d.]+)/g)].map((match) => match[1]);
    expect(listed.length).toBeGreaterThan(0);
    expect(addresses).toEqual(expect.arrayContaining(listed));
    expect(addresses.filter((address) => address.endsWith(".255"))).toEqual([]);
  });
});

describe("overlap", () => {
  it.each([
    ["172.18.0.0/16", "172.16.0.0/12", true],
    ["172.18.0.0/16", "172.19.0.0/16", false],
    ["10.0.0.0/8", "10.255.255.255/32", true],
    ["0.0.0.0/0", "192.0.2.7/32", true],
    ["fd00::/8", "10.0.0.0/8", false],
    ["", "10.0.0.0/8", false],
  ])("of %s and %s: %s", (one, other, expected) => {
    expect(overlap(one, other)).toBe(expected);
  });

  it("holds whichever comes first, and for each with itself", () => {
    const part = fc.integer({ min: 0, max: 255 });
    const subnet = fc.tuple(part, part, part, part, fc.integer({ min: 0, max: 32 })).map(([a, b, c, d, bits]) => {
      const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const first = Number((BigInt(address) >> BigInt(32 - bits)) << BigInt(32 - bits));
      return `${[24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join(".")}/${bits}`;
    });
    fc.assert(
      fc.property(subnet, subnet, (one, other) => {
        expect(overlap(one, other)).toBe(overlap(other, one));
        expect(overlap(one, one)).toBe(true);
      }),
    );
  });
});

describe("names", () => {
  const HOSTS = "127.0.0.1 localhost\n# 10.0.0.1 registry.test\n192.0.2.7\tregistry.test Other.Test # ours\n";

  it("of a hosts file, comments aside", () => {
    expect(addressesInHostsFile(HOSTS, "registry.test")).toEqual(["192.0.2.7"]);
    expect(addressesInHostsFile(HOSTS, "other.test")).toEqual(["192.0.2.7"]);
    expect(addressesInHostsFile(HOSTS, "missing.test")).toEqual([]);
  });

  it("are resolved as this host does it", async () => {
    await using folder = temporaryDirectory();
    const file = join(folder.path, "hosts");
    await writeFile(file, HOSTS);
    expect(await resolveName("localhost", file)).toMatchObject({ inHostsFile: ["127.0.0.1"] });
    expect((await resolveName("localhost", file)).addresses).toContain("127.0.0.1");
    expect((await resolveName("nowhere.invalid", file)).addresses).toEqual([]);
  });
});

it("a read-only mount is known by the innermost one, also with a space in its path", async () => {
  await using folder = temporaryDirectory();
  const file = join(folder.path, "mountinfo");
  const line = (point: string, options: string) =>
    `36 35 98:0 / ${point} ${options} shared:1 - ext4 /dev/vda1 ${options}\n`;
  const inner = folder.path;
  await writeFile(file, line("/", "ro,relatime") + line(inner, "rw"));
  expect(await isMountedReadOnly(inner, file)).toBe(false);
  await writeFile(file, line("/", "rw") + line(inner.replaceAll("/", "/"), "ro"));
  expect(await isMountedReadOnly(inner, file)).toBe(true);
  await writeFile(file, line("/", "rw") + line(`${inner}\\040x`, "ro"));
  expect(await isMountedReadOnly(inner, file)).toBe(false);
});
