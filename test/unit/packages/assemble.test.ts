import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import type { RunCommand } from "../../../src/host/command.ts";
import { assembleImage } from "../../../src/packages/assemble.ts";
import { registryRecipe } from "../../../src/packages/recipe.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-assemble-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A host where the first matching answer is what a program says; the others are not installed. */
function host(answers: Readonly<Record<string, { exitCode?: number; stdout?: string; stderr?: string }>>): RunCommand {
  return async (file) => {
    const answer = answers[file];
    if (answer === undefined) throw new RegctlError("not-found", `cannot run ${file}: it is not installed`);
    return { exitCode: 0, stdout: "", stderr: "", ...answer };
  };
}

const assemble = (run: RunCommand) => assembleImage(registryRecipe, { run, workDirectory: directory });

describe("assembleImage", () => {
  it.each([
    ["dpkg", host({})],
    ["apt-get", host({ dpkg: { stdout: "amd64\n" } })],
  ])("needs a host with %s", async (program, run) => {
    await expect(assemble(run)).rejects.toMatchObject({
      code: "image-unavailable",
      message: expect.stringContaining(`this host has no ${program}`),
      hint: expect.stringContaining("regctl images load"),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it("passes on what apt says when no mirror can be reached", async () => {
    const run = host({
      dpkg: { stdout: "amd64\n" },
      "apt-get": { exitCode: 100, stderr: "E: Failed to fetch http://mirror/x\n" },
    });
    await expect(assemble(run)).rejects.toMatchObject({
      code: "image-unavailable",
      details: { reason: "download" },
      issues: expect.arrayContaining([{ path: "apt-get", message: "E: Failed to fetch http://mirror/x" }]),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it("gives apt a configuration it can read from anywhere, also for a relative cache folder", async () => {
    const configurations: string[] = [];
    const run: RunCommand = async (file, args) => {
      if (file === "apt-get") configurations.push(await readFile(args[1]!, "utf8"), args[1]!);
      return { exitCode: file === "apt-get" ? 100 : 0, stdout: "amd64", stderr: "" };
    };
    const workDirectory = relative(process.cwd(), directory);
    await expect(assembleImage(registryRecipe, { run, workDirectory })).rejects.toMatchObject({
      details: { reason: "download" },
    });
    expect(configurations).toHaveLength(6);
    expect(configurations[0]).toContain(`Dir::Cache "${directory}/`);
    expect(configurations[2]).toContain(`Dir::State::lists "${directory}/`);
    for (const path of [configurations[1], configurations[3], configurations[5]]) expect(isAbsolute(path!)).toBe(true);
  });

  it("says that its cache folder cannot be used", async () => {
    const file = join(directory, "file");
    await writeFile(file, "");
    await expect(
      assembleImage(registryRecipe, { run: host({}), workDirectory: join(file, "cache") }),
    ).rejects.toMatchObject({
      code: "permission-denied",
      hint: expect.stringContaining("XDG_CACHE_HOME"),
    });
  });
});
