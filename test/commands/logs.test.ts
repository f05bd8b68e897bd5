import { PassThrough, Readable } from "node:stream";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { main } from "../../src/main.ts";
import { eventually } from "../support/eventually.ts";
import { type Made, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { surroundingsFor } from "../support/surroundings.ts";

let deployment: Made;
beforeAll(async () => {
  deployment = await made();
  for (const line of ["one\n", "two\n"]) deployment.engine.fake.writeLog("acme-registry-1", "stdout", line);
  deployment.engine.fake.writeLog("acme-registry-1", "stderr", "three, \u001b[31mred\u001b[0m\n");
}, 60_000);

const logs = (...flags: string[]) => run(["logs", "-C", deployment.directory, ...flags], { engine: deployment.engine });

describe("logs", () => {
  it("writes both streams as they are, in their order, to stdout", async () => {
    const all = "one\ntwo\nthree, \u001b[31mred\u001b[0m\n";
    expect(await logs()).toEqual({ exitCode: 0, stdout: all, stderr: "" });
  });

  it("cuts to the last lines, and dates them", async () => {
    expect((await logs("--tail", "1")).stdout).toMatch(/^three/);
    expect((await logs("--tail", "0")).stdout).toBe("");
    expect((await logs("--tail", "2", "-t")).stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z two\n\d{4}-/);
  });

  describe("--since", () => {
    const asked: (string | undefined)[] = [];
    beforeEach(() => {
      asked.length = 0;
    });

    async function since(time: string) {
      const { engine, directory } = deployment;
      const spy = {
        ...{ info: engine.info, images: engine.images, networks: engine.networks, inspection: engine.inspection },
        close: () => undefined,
        containers: {
          ...engine.containers,
          logs(_id: string, options: { since?: string | undefined }) {
            asked.push(options.since);
            return Readable.from([]);
          },
        },
      };
      const now = new Date("2026-03-01T12:00:00Z");
      return run(["logs", "-C", directory, "--since", time], { engine: spy, now });
    }

    it.each([
      ["45s", "2026-03-01T11:59:15.000Z"],
      ["10m", "2026-03-01T11:50:00.000Z"],
      ["2h", "2026-03-01T10:00:00.000Z"],
      ["3d", "2026-02-26T12:00:00.000Z"],
      ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000Z"],
      ["2026-01-31T08:00:00+02:00", "2026-01-31T06:00:00.000Z"],
      ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ])("%s is %s", async (time, expected) => {
      expect(await since(time)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(asked).toEqual([expected]);
    });

    it.each(["yesterday", "10", "10 m", "", "m", "1y"])("refuses %j", async (time) => {
      const result = await since(time);
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(/--since .* is no time\n {2}hint: write 10m/);
      expect(asked).toEqual([]);
    });
  });

  it.each([
    ["interrupted", 130],
    ["terminated", 143],
  ] as const)("follows until it is %s, with that exit code and no error", async (code, exitCode) => {
    const { engine, directory } = deployment;
    const controller = new AbortController();
    const written = { stdout: "", stderr: "" };
    const stream = (name: "stdout" | "stderr") =>
      new PassThrough().on("data", (chunk: Buffer) => {
        written[name] += chunk.toString();
      });
    const streams = { stdin: new PassThrough().end(), stdout: stream("stdout"), stderr: stream("stderr") };
    const surroundings = surroundingsFor({ streams, connectEngine: async () => engine });
    const ended = main(["logs", "-f", "--tail", "1", "-C", directory], surroundings, controller.signal);
    await eventually(() => written.stdout.startsWith("three"));
    engine.fake.writeLog("acme-registry-1", "stdout", `${code}, live\n`);
    await eventually(() => written.stdout.endsWith(`${code}, live\n`));
    controller.abort(new RegctlError(code, code));
    expect(await ended).toBe(exitCode);
    expect(written.stderr).toBe("");
    engine.fake.writeLog("acme-registry-1", "stdout", "three again\n");
  });

  it("says what to do where there is no container", async () => {
    const own = await made();
    await run(["down", "-C", own.directory], { engine: own.engine });
    const result = await run(["logs", "-C", own.directory], { engine: own.engine });
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("hint: regctl up") });
  });
});
