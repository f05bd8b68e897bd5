import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { readElfDependencies } from "../../../src/packages/elf.ts";

/** Everything a program loads, by our reader over the places the host's loader finds the libraries in. */
async function closure(path: string, places: ReadonlyMap<string, string>): Promise<Set<string>> {
  const names = new Set<string>();
  const pending = [path];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    const { libraries, interpreter } = (await readElfDependencies(file))!;
    for (const name of [...libraries, ...(interpreter === undefined ? [] : [basename(interpreter)])]) {
      if (names.has(name)) continue;
      names.add(name);
      const place = places.get(name);
      if (place !== undefined) pending.push(place);
    }
  }
  return names;
}

describe("readElfDependencies", () => {
  it.each(["/bin/sh", "/bin/ls", "/usr/bin/env", process.execPath])(
    "of %s leads to all that the loader loads",
    async (path) => {
      const { stdout } = await runCommand("ldd", [path]);
      const places = new Map<string, string>();
      for (const line of stdout.split("\n")) {
        const [, name, place] = /^\s*(\S+)(?: => (\S+))? \(0x/.exec(line) ?? [];
        if (name !== undefined && !name.startsWith("linux-vdso")) places.set(basename(name), place ?? name);
      }
      expect([...(await closure(path, places))].sort()).toEqual([...places.keys()].sort());
    },
  );

  it("tells other files apart", async () => {
    const directory = await mkdtemp(join(tmpdir(), "regctl-elf-"));
    const path = join(directory, "file");
    for (const content of ["", "#!/bin/sh\n", `\u007fELF${"\0".repeat(100)}`]) {
      await writeFile(path, content, "latin1");
      expect(await readElfDependencies(path)).toBeUndefined();
    }
    await rm(directory, { recursive: true });
  });
});
