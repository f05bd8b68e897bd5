import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";

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
    await writeFile(join(directory, "data/image"), "bytes");
    const kept = ["certs/ca.crt", "certs/ca.key", "certs/domain.crt", "auth/htpasswd", "regctl.yaml", "data/image"];
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
