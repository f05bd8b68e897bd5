import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../contract/free-port.ts";
import { keep, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("finding the deployment", () => {
  it("looks in --dir, REGCTL_DIR, the folder and above, then on the engine", async () => {
    const { directory, engine, port } = await made();
    const url = `https://localhost:${port}`;
    const quiet = async (argv: string[], options: object) =>
      JSON.parse((await run(["status", "--json", ...argv], { engine, ...options })).stdout) as {
        data: { url: string };
      };
    expect((await quiet(["--dir", directory], {})).data.url).toBe(url);
    expect((await quiet([], { environment: { REGCTL_DIR: directory } })).data.url).toBe(url);
    expect((await quiet([], { cwd: join(directory, "data") })).data.url).toBe(url);
    expect((await quiet([], { cwd: "/" })).data.url).toBe(url);
  });

  it("names all when several are meant", async () => {
    const { engine } = await made();
    const root = keep(temporaryDirectory());
    await run(["init", join(root.path, "other"), "--yes", "--port", String(await freePort())], { engine });
    const result = await run(["status"], { engine, cwd: "/" });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/acme: .*\n.*other: /);
  });

  it.each(["up", "status", "users", "certs", "logs"])("%s says what to do where there is none", async (verb) => {
    const engine = keep(new ServingEngine());
    expect(await run([verb], { engine, cwd: "/" })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("regctl init"),
    });
    expect(await run([verb, "--dir", "/nowhere"], { engine })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("regctl init /nowhere"),
    });
  });
});
