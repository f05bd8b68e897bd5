import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../contract/free-port.ts";
import { edit, keep, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("up", () => {
  it("says no changes, twice, and changes nothing", async () => {
    const { directory, engine } = await made();
    const before = engine.fake.calls.length;
    for (let round = 0; round < 2; round += 1)
      expect(await run(["up", "-C", directory], { engine })).toMatchObject({ exitCode: 0, stdout: "no changes\n" });
    const changing = engine.fake.calls.slice(before).filter((call) => !/list|inspect/.test(call));
    expect(changing).toEqual([]);
  });

  it.each<[string, string, string, string[]]>([
    [
      "log level",
      "level: info",
      "level: debug",
      ["file registry/config.yml", "file compose.yaml", "container acme-registry-1"],
    ],
    [
      "names",
      "san: []",
      "san: [reg.example.com]",
      ["certificate certs/domain.crt", "file compose.yaml", "container acme-registry-1"],
    ],
    ["comments alone", "# What should run", "# What shall run", []],
    ["bcrypt cost", "bcryptCost: 5", "bcryptCost: 6", []],
  ])("changes exactly what a change of %s asks for", async (_, from, to, expected) => {
    const { directory, engine } = await made();
    await edit(directory, from, to);
    const planned = await run(["up", "-C", directory, "--dry-run", "--json"], { engine });
    const { changes } = (JSON.parse(planned.stdout) as { data: { changes: { kind: string; name: string }[] } }).data;
    expect(changes.map((change) => `${change.kind} ${change.name}`)).toEqual(expected);
    expect((await run(["up", "-C", directory], { engine })).exitCode).toBe(0);
    expect(await run(["up", "-C", directory], { engine })).toMatchObject({ stdout: "no changes\n" });
  });

  it("moves to another port", async () => {
    const { directory, engine } = await made();
    const port = await freePort();
    await edit(directory, /port: \d+/, `port: ${port}`);
    expect((await run(["up", "-C", directory], { engine })).exitCode).toBe(0);
    expect((await engine.containers.inspect("acme-registry-1"))?.ports).toEqual([
      { hostAddress: "0.0.0.0", hostPort: port, containerPort: 5000 },
    ]);
    expect(await run(["status", "-C", directory], { engine })).toMatchObject({ exitCode: 0 });
  });

  it("keeps the authority when names change", async () => {
    const { directory, engine } = await made();
    const authority = await readFile(join(directory, "certs/ca.crt"), "utf8");
    await edit(directory, "san: []", "san: [other.example.com]");
    await run(["up", "-C", directory], { engine });
    expect(await readFile(join(directory, "certs/ca.crt"), "utf8")).toBe(authority);
  });

  it("runs the old container again when the new one does not come up", async () => {
    const { directory, engine } = await made({ images: ["registry:2", "registry:2.8"] });
    const old = await engine.containers.inspect("acme-registry-1");
    engine.silent.add("registry:2.8");
    await edit(directory, "image: registry:2", "image: registry:2.8");
    const result = await run(["up", "-C", directory, "--timeout", "1"], { engine });
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the old container runs again") });
    const now = await engine.containers.list({});
    expect(now.map(({ id, name, state }) => ({ id, name, state }))).toEqual([
      { id: old?.id, name: "acme-registry-1", state: "running" },
    ]);
  });

  it("never takes a deployment of the same name in another folder for its own", async () => {
    const { engine } = await made();
    const root = keep(temporaryDirectory());
    await writeFile(join(root.path, "regctl.yaml"), "name: acme\n");
    for (const verb of ["up", "down", "restart"]) {
      expect(await run([verb, "-C", root.path], { engine })).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining("already has a deployment called acme"),
      });
    }
    expect((await engine.containers.inspect("acme-registry-1"))?.state).toBe("running");
  });

  it("reports every problem of regctl.yaml with its line, exit 2", async () => {
    const { directory, engine } = await made();
    await edit(directory, "level: info", "level: loud\n    levl: x");
    const result = await run(["up", "-C", directory, "--json"], { engine });
    expect(result.exitCode).toBe(2);
    const { error } = JSON.parse(result.stderr) as {
      error: { code: string; details: { issues: { path: string; line: number }[] } };
    };
    expect(error.code).toBe("config-invalid");
    expect(error.details.issues.map(({ path }) => path)).toEqual(["registry.log.level", "registry.log.levl"]);
  });

  it("never makes up a new authority for a lost key", async () => {
    const { directory, engine } = await made();
    await rm(join(directory, "certs/ca.key"));
    expect(await run(["up", "-C", directory], { engine })).toMatchObject({ exitCode: 0 });
    expect(await run(["certs", "renew", "-C", directory], { engine })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("certs/ca.key is missing"),
    });
  });
});
