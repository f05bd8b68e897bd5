import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { isDebianLike, parseOsRelease, readOsRelease } from "../../../src/host/os-release.ts";
import { runs } from "../../support/property-runs.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-os-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const UBUNTU = `PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
`;
const ROCKY = `NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.5"\nPRETTY_NAME="Rocky Linux 9.5 (Blue Onyx)"\n`;

describe("readOsRelease", () => {
  it("reads quoted and bare values", async () => {
    const path = join(directory, "os-release");
    await writeFile(path, UBUNTU);
    expect(await readOsRelease(path)).toEqual({
      id: "ubuntu",
      idLike: ["debian"],
      versionId: "24.04",
      codename: "noble",
      prettyName: "Ubuntu 24.04.3 LTS",
    });
  });

  it("takes a host that says nothing for plain linux", async () => {
    expect(await readOsRelease(join(directory, "missing"))).toMatchObject({
      id: "linux",
      idLike: [],
      prettyName: "Linux",
    });
  });

  it("reads this host as the shell does", async () => {
    const shell = await runCommand("sh", [
      "-c",
      '. /etc/os-release; printf "%s|%s|%s" "$ID" "$VERSION_ID" "$PRETTY_NAME"',
    ]);
    const { id, versionId, prettyName } = await readOsRelease();
    expect([id, versionId, prettyName].join("|")).toBe(shell.stdout);
  });

  it("unquotes any value as the shell does", async () => {
    const path = join(directory, "os-release");
    const text = fc.string({ unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "é", "=", "#"), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const quoted = `PRETTY_NAME="${value.replace(/["$`\\]/g, "\\$&")}"\n`;
        await writeFile(path, quoted);
        const shell = await runCommand("sh", ["-c", `. ${path}; printf %s "$PRETTY_NAME"`]);
        expect(parseOsRelease(quoted).prettyName).toBe(shell.stdout === "" ? "Linux" : shell.stdout);
      }),
      { numRuns: runs(60) },
    );
  });
});

describe("isDebianLike", () => {
  it.each([
    [UBUNTU, true],
    ["ID=debian\n", true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', true],
    [ROCKY, false],
    ["", false],
  ])("of %j is %s", (text, expected) => {
    expect(isDebianLike(parseOsRelease(text))).toBe(expected);
  });
});
