import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { loginStatus } from "../support/login.ts";
import { edit, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";

describe("restart", () => {
  it("stops the container gently, starts the same one, and waits until it serves", async () => {
    const own = await made();
    const { directory, engine } = own;
    const before = await engine.containers.inspect("acme-registry-1");
    const from = engine.fake.calls.length;
    const result = await run(["restart", "-C", directory], { engine });
    expect(result).toEqual({
      ...{ exitCode: 0, stdout: "restarted acme-registry-1\n", stderr: "  ok restart acme-registry-1\n" },
    });
    const changing = engine.fake.calls.slice(from).filter((call) => !/list|inspect/.test(call));
    expect(changing).toEqual(["containers.stop", "containers.start"]);
    const after = await engine.containers.inspect("acme-registry-1");
    expect(after).toMatchObject({ id: before?.id, state: "running" });
    expect(after?.startedAt).not.toBe(before?.startedAt);
    expect(await loginStatus(own, "admin", own.password)).toBe(200);
  });

  it("starts one that had stopped", async () => {
    const { directory, engine } = await made();
    engine.fake.exit("acme-registry-1", 1);
    await engine.containers.stop("acme-registry-1");
    expect(await run(["restart", "-C", directory, "--json"], { engine })).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await run(["status", "-C", directory], { engine })).exitCode).toBe(0);
  });

  it("does not apply what regctl.yaml says since: that is what up is for", async () => {
    const { directory, engine } = await made();
    await edit(directory, "level: info", "level: debug");
    expect((await run(["restart", "-C", directory], { engine })).exitCode).toBe(0);
    expect((await run(["status", "-C", directory], { engine })).exitCode).toBe(3);
  });

  it("says what the registry says when it does not come up again", async () => {
    const { directory, engine } = await made();
    await writeFile(join(directory, "certs/domain.key"), "no key");
    const result = await run(["restart", "-C", directory, "--timeout", "2"], { engine });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(/failed restart acme-registry-1\nregctl: the registry does not serve: it is exited/);
    expect(result.stderr).toContain("regctl logs");
  });

  it("says what to do where there is nothing to restart", async () => {
    const { directory, engine } = await made();
    await run(["down", "-C", directory], { engine });
    const result = await run(["restart", "-C", directory], { engine });
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/acme has no container to restart\n {2}hint: regctl up/);
  });

  it("fails as the engine fails", async () => {
    const { directory, engine } = await made();
    engine.fake.failOn("containers.stop", new RegctlError("engine-unreachable", "the engine went away"));
    const result = await run(["restart", "-C", directory], { engine });
    expect(result).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("the engine went away") });
  });
});
