import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { edit, keep, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("down, destroy", () => {
  it("down removes containers and network and up brings them back", async () => {
    const { directory, engine } = await made();
    expect((await run(["down", "-C", directory], { engine })).exitCode).toBe(0);
    expect(await engine.containers.list({})).toEqual([]);
    expect(await run(["down", "-C", directory], { engine })).toMatchObject({ stdout: "no changes\n" });
    expect((await run(["up", "-C", directory], { engine })).exitCode).toBe(0);
    expect((await run(["status", "-C", directory], { engine })).exitCode).toBe(0);
  });

  it("destroy keeps what only its owner can make; up brings the same registry back", async () => {
    const { directory, engine } = await made();
    await mkdir(join(directory, "data/docker/registry"), { recursive: true });
    await writeFile(join(directory, "data/docker/registry/blob"), "bytes");
    const kept = [
      "certs/ca.crt",
      "certs/ca.key",
      "certs/domain.crt",
      "auth/htpasswd",
      "regctl.yaml",
      "data/docker/registry/blob",
    ];
    const before = await Promise.all(kept.map((file) => readFile(join(directory, file), "utf8")));
    expect((await run(["destroy", "-C", directory, "--yes"], { engine })).exitCode).toBe(0);
    expect(await engine.containers.list({})).toEqual([]);
    expect(await Promise.all(kept.map((file) => readFile(join(directory, file), "utf8")))).toEqual(before);
    expect((await run(["up", "-C", directory], { engine })).exitCode).toBe(0);
  });

  it.each<[string, string[], number]>([
    ["without the name", ["--yes"], 2],
    ["with another name", ["--yes", "--confirm", "acm"], 1],
  ])("destroy --data refuses %s", async (_, flags, exitCode) => {
    const { directory, engine } = await made();
    expect((await run(["destroy", "--data", "-C", directory, ...flags], { engine })).exitCode).toBe(exitCode);
    expect((await run(["status", "-C", directory], { engine })).exitCode).toBe(0);
  });

  it("destroy --data with the name leaves nothing", async () => {
    const { directory, engine } = await made();
    expect((await run(["destroy", "--data", "-C", directory, "--yes", "--confirm", "acme"], { engine })).exitCode).toBe(
      0,
    );
    await expect(stat(directory)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("a data folder that is not a registry's alone", () => {
  it("is refused by init and up, and never given away or removed", async () => {
    const { directory, engine } = await made();
    const elsewhere = keep(temporaryDirectory());
    await writeFile(join(elsewhere.path, "letters.txt"), "mine");
    const before = await stat(elsewhere.path);
    await edit(directory, "data: data", `data: ${elsewhere.path}`);
    for (const verb of ["up", "status"]) {
      const result = await run([verb, "-C", directory], { engine });
      expect(result.exitCode, verb).not.toBe(0);
      expect(result.stdout + result.stderr).toContain("letters.txt");
    }
    const other = await run(["init", join(elsewhere.path, "new"), "--yes", "--data", ".."], { engine });
    expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("letters.txt") });
    await run(["destroy", "--data", "-C", directory, "--yes", "--confirm", "acme"], { engine });
    expect(await readFile(join(elsewhere.path, "letters.txt"), "utf8")).toBe("mine");
    expect((await stat(elsewhere.path)).uid).toBe(before.uid);
  });

  it("keeps images when data: names a folder that is not there, and says how to move them", async () => {
    const { directory, engine } = await made();
    await mkdir(join(directory, "data/docker/registry"), { recursive: true });
    await edit(directory, "data: data", "data: moved");
    const result = await run(["up", "-C", directory], { engine });
    expect(result).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`mv ${join(directory, "data")} ${join(directory, "moved")}`),
    });
    expect((await engine.containers.inspect("acme-registry-1"))?.state).toBe("running");
  });
});
