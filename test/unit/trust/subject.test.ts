import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { authorityPem, subjectFor } from "../../support/trust-subject.ts";

describe("a subject of trust", () => {
  it.each<[number, string[], string[]]>([
    [5000, ["reg.test"], ["reg.test:5000"]],
    [443, ["reg.test"], ["reg.test", "reg.test:443"]],
    [5000, ["reg.test", "10.0.0.1", "2001:db8::1"], ["reg.test:5000", "10.0.0.1:5000", "[2001:db8::1]:5000"]],
    [443, ["::1"], ["[::1]", "[::1]:443"]],
    [5000, ["reg.test", "*.reg.test", "reg.test"], ["reg.test:5000"]],
  ])("at port %i of %j is named as images name it", async (port, hosts, registries) => {
    expect((await subjectFor({ port, hosts })).registries).toEqual(registries);
  });

  it("has each authority once, whatever text it is in", async () => {
    const pem = await authorityPem();
    const { authorities } = await subjectFor({
      authorityPems: [pem, `some words\n${pem.replaceAll("\n", "\r\n")}${pem}`],
    });
    expect(authorities).toHaveLength(1);
    expect(authorities[0]).toMatchObject({
      pem,
      short: authorities[0]?.sha256.slice(0, 11).replaceAll(":", "").toLowerCase(),
    });
  });

  it("keeps its id while names are added, and another deployment of the same name has another", async () => {
    const { id } = await subjectFor();
    expect((await subjectFor({ hosts: ["registry.test", "more.test"] })).id).toBe(id);
    expect((await subjectFor({ hosts: ["other.test"] })).id).not.toBe(id);
    expect((await subjectFor({ name: "acme2" })).id).not.toBe(id);
    expect(id).toMatch(/^acme-[0-9a-f]{8}$/);
  });

  it("is refused without an authority, and when it has wildcards alone", async () => {
    await expect(subjectFor({ authorityPems: [] })).rejects.toMatchObject({ code: "not-found" });
    await expect(subjectFor({ hosts: ["*.reg.test"] })).rejects.toMatchObject({ code: "input-invalid" });
  });

  it("takes no host that could be anything but a host", async () => {
    const hosts = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", ".", "-", ":", "/", " ", "$", "'", "\n", "*", "é", "[", "\\") }),
      fc.constantFrom(
        "$(id)",
        "a b",
        "../x",
        "a/b",
        "a'b",
        'a"b',
        "a\nb",
        "-rf",
        "a;b",
        "a`id`",
        "..",
        ".",
        "",
        "a:b",
        "[::1]",
      ),
    );
    await fc.assert(
      fc.asyncProperty(hosts, async (host) => {
        const made = await subjectFor({ hosts: [host] }).catch((error: unknown) => error);
        if (made instanceof RegctlError) return;
        expect((made as { hosts: string[] }).hosts[0]).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._:-]*$|^[0-9A-Fa-f:.]+$/);
      }),
      { numRuns: 60 },
    );
  });
});
