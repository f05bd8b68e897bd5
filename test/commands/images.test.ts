import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { filesBelow } from "../support/files-below.ts";
import { made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { runProgram } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const ASSEMBLED = "regctl/registry:2.8.2-debian";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());

function engineWith(...images: string[]): FakeEngine {
  const engine = new FakeEngine({ images, pullable: ["registry:2", "registry:3"] });
  // Connections come and go with commands; the engine stays.
  engine.close = () => undefined;
  return engine;
}

const references = async (engine: FakeEngine) => (await engine.images.list()).flatMap(({ tags }) => tags);

describe("images list", () => {
  it("shows what deployments use, what regctl made, and the default; nothing else", async () => {
    const { directory, engine } = await made({ images: ["registry:2", ASSEMBLED, "postgres:16", "registry:3"] });
    const { stdout } = await run(["images", "list", "-C", directory], { engine });
    expect(stdout).toMatch(/^IMAGE +ID +SIZE +USED BY\n/);
    expect(stdout).toMatch(new RegExp(`^${ASSEMBLED} +[0-9a-f]{12} +977 KiB$`, "m"));
    expect(stdout).toMatch(/^registry:2 +[0-9a-f]{12} +977 KiB +acme$/m);
    expect((await run(["images", "list", "-q"], { engine })).stdout).toBe(`${ASSEMBLED}\nregistry:2\n`);
    const { data } = JSON.parse((await run(["images", "list", "--json"], { engine })).stdout) as {
      data: { images: unknown[] };
    };
    expect(data.images).toEqual([
      expect.objectContaining({ reference: ASSEMBLED, usedBy: [], sizeBytes: 1_000_000 }),
      expect.objectContaining({ reference: "registry:2", usedBy: ["acme"], id: expect.stringMatching(/^sha256:/) }),
    ]);
  });

  it("says how to get one where there is none", async () => {
    const { stdout } = await run(["images", "list"], { engine: engineWith("postgres:16") });
    expect(stdout).toContain("regctl images pull");
    expect(stdout).toContain("regctl images build");
  });
});

describe("images pull", () => {
  it("pulls the one named, the deployment's, or outside of any the default", async () => {
    const engine = engineWith();
    expect(await run(["images", "pull", "registry:3"], { engine })).toMatchObject({
      ...{ exitCode: 0, stdout: "pulled registry:3\n", stderr: "  ok pull registry:3\n" },
    });
    expect(await run(["images", "pull", "-q"], { engine })).toMatchObject({ stdout: "registry:2\n", stderr: "" });
    expect(await references(engine)).toEqual(["registry:3", "registry:2"]);

    await writeFile(join(folder.path, "regctl.yaml"), "image: registry:3\n");
    expect((await run(["images", "pull"], { engine, cwd: folder.path })).stdout).toBe("pulled registry:3\n");
  });

  it("does not take the default for a deployment that is not where it was said to be", async () => {
    const engine = engineWith();
    const refused = { exitCode: 2, stdout: "", stderr: expect.stringContaining("/nowhere") };
    expect(await run(["images", "pull", "-C", "/nowhere"], { engine })).toMatchObject(refused);
    expect(await run(["images", "pull"], { engine, environment: { REGCTL_DIR: "/nowhere" } })).toMatchObject(refused);
    expect(await references(engine)).toEqual([]);
  });

  it.each([
    ["an image that is not there", "registry:99", 1],
    ["a reference that is none", "Registry:2", 2],
  ])("fails for %s", async (_, reference, exitCode) => {
    const result = await run(["images", "pull", reference], { engine: engineWith() });
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toContain(reference);
    expect(result.stderr).toContain("hint: ");
  });
});

describe("images save and load", () => {
  it("carry images to another engine, as a pair sha256sum accepts", async () => {
    const engine = engineWith("registry:2", ASSEMBLED);
    await using here = temporaryDirectory();
    const saved = await run(["images", "save", "-o", "out.tar", "registry:2", ASSEMBLED, "--json"], {
      ...{ engine, cwd: here.path },
    });
    const file = join(here.path, "out.tar");
    const bytes = (await readFile(file)).byteLength;
    const [sha256] = (await runProgram("sha256sum", [file])).stdout.split(" ");
    expect(JSON.parse(saved.stdout)).toEqual({
      apiVersion: "regctl/v1",
      kind: "images-save",
      data: { file, checksumFile: `${file}.sha256`, references: ["registry:2", ASSEMBLED], bytes, sha256 },
    });
    expect(Object.keys(await filesBelow(here.path))).toEqual(["out.tar", "out.tar.sha256"]);
    const check = await runProgram("sha256sum", ["-c", "out.tar.sha256"], { cwd: here.path });
    expect(check).toMatchObject({ exitCode: 0, stdout: "out.tar: OK\n" });

    const there = engineWith();
    const loaded = await run(["images", "load", "out.tar"], { engine: there, cwd: here.path });
    expect(loaded).toMatchObject({ exitCode: 0, stdout: `loaded registry:2, ${ASSEMBLED}\n` });
    expect(await references(there)).toEqual(["registry:2", ASSEMBLED]);
    expect((await there.images.inspect("registry:2"))?.id).toBe((await engine.images.inspect("registry:2"))?.id);
  });

  it("saves the deployment's image when none is named", async () => {
    const { directory, engine } = await made();
    const result = await run(["images", "save", "-o", join(folder.path, "own.tar"), "-C", directory], { engine });
    expect(result.stdout).toContain("saved registry:2\n");
    expect(result.stdout).toContain("regctl images load");
  });

  it("leaves an existing file alone", async () => {
    const file = join(folder.path, "existing.tar");
    await writeFile(file, "precious");
    const result = await run(["images", "save", "-o", file, "registry:2"], { engine: engineWith("registry:2") });
    expect(result).toMatchObject({ exitCode: 5, stdout: "", stderr: expect.stringContaining("--output") });
    expect(await readFile(file, "utf8")).toBe("precious");
  });

  it.each([
    ["registry:3", "regctl images pull registry:3"],
    [ASSEMBLED, "regctl images build"],
  ])("says how to get %s when the engine does not have it", async (reference, hint) => {
    await using here = temporaryDirectory();
    const engine = engineWith("registry:2");
    const result = await run(["images", "save", "-o", "x.tar", "registry:2", reference], { engine, cwd: here.path });
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(`hint: ${hint}`) });
    expect(await filesBelow(here.path)).toEqual({});
  });

  it("leaves nothing behind when the engine fails on the way, or the folder is not there", async () => {
    await using here = temporaryDirectory();
    const engine = engineWith("registry:2");
    engine.failOn("images.save", new RegctlError("engine-failed", "the engine went away"));
    const argv = ["images", "save", "-o", "x.tar", "registry:2"];
    const broken = await run(argv, { engine, cwd: here.path });
    expect(broken).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("the engine went away") });
    expect(await filesBelow(here.path)).toEqual({});
    const nowhere = await run(argv, { engine, cwd: join(here.path, "no") });
    expect(nowhere).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("cannot write") });
  });

  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    [
      "an archive whose bytes changed",
      async (file) => {
        const bytes = await readFile(file);
        bytes[600] = (bytes[600] ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
      /is not what was saved: its SHA-256 is [0-9a-f]{64}, .*\n {2}hint: copy it again/,
    ],
    ["one cut short", (file) => readFile(file).then((all) => writeFile(file, all.subarray(0, 700))), /is not what was/],
    ["one without its checksum", (file) => rm(`${file}.sha256`), /\.sha256 is missing.*\n {2}hint: copy it as well/],
    ["one with an empty checksum", (file) => writeFile(`${file}.sha256`, ""), /\.sha256 holds no SHA-256/],
    ["one that is not there", (file) => rename(file, `${file}.away`), /there is no file/],
  ])("refuse to load %s", async (_, spoil, problem) => {
    await using here = temporaryDirectory();
    await run(["images", "save", "-o", "x.tar", "registry:2"], { engine: engineWith("registry:2"), cwd: here.path });
    await spoil(join(here.path, "x.tar"));
    const there = engineWith();
    const result = await run(["images", "load", "x.tar"], { engine: there, cwd: here.path });
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
    expect(there.calls).toEqual([]);
  });

  it("say what the engine says of an archive that is none", async () => {
    const file = join(folder.path, "none.tar");
    await writeFile(file, "no archive");
    await writeFile(`${file}.sha256`, (await runProgram("sha256sum", [file])).stdout);
    const result = await run(["images", "load", file], { engine: engineWith() });
    expect(result).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("cannot load") });
  });
});

describe("images build", () => {
  it("says what to do on a host that has no distribution packages", async () => {
    await using home = temporaryDirectory();
    const engine = engineWith();
    const missing = async (file: string) => {
      throw new RegctlError("not-found", `there is no program ${file}`);
    };
    const result = await run(["images", "build"], {
      ...{ engine, environment: { HOME: home.path } },
      surroundings: { userId: 1000, run: missing },
    });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(
      /this host has no \S+, it takes a Debian or Ubuntu one\n {2}hint: .*regctl images load/,
    );
    expect(engine.calls).toEqual([]);
  });
});
