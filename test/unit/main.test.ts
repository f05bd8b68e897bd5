import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { packageVersion } from "../../src/main.ts";
import { run } from "../support/run.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** As a fault in regctl itself would be. */
const buggy = (thrown: unknown) => ({
  surroundings: {
    connectEngine: async () => {
      throw thrown;
    },
  },
});

describe("main", () => {
  it("has the version of the package", async () => {
    expect(packageVersion()).toBe(version);
    expect(await run(["--version"])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("calls a bug a bug, with all it takes to report it", async () => {
    const cause = new Error("the deeper reason");
    const { exitCode, stdout, stderr } = await run(["ls"], buggy(new TypeError("x is not a function", { cause })));
    expect({ exitCode, stdout }).toEqual({ exitCode: 70, stdout: "" });
    expect(stderr).toMatch(/^regctl: this is a bug: x is not a function\n/);
    expect(stderr).toMatch(/\n {4}at .*main\.test\.ts/);
    expect(stderr).toContain("caused by: Error: the deeper reason");
    expect(stderr).toContain(`regctl ${version}, node ${process.version}`);
    expect(stderr).toMatch(/hint: please report it/);
  });

  it("does so as JSON", async () => {
    const { exitCode, stdout, stderr } = await run(["ls", "--json"], buggy(new TypeError("x is not a function")));
    expect({ exitCode, stdout }).toEqual({ exitCode: 70, stdout: "" });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "internal",
        message: "x is not a function",
        hint: expect.stringContaining("report"),
        details: { version, node: process.version, stack: [expect.stringContaining("main.test.ts")] },
      },
    });
  });

  it.each([["a string"], [undefined], [null], [{ odd: true }]])("survives whatever is thrown: %o", async (thrown) => {
    for (const flags of [[], ["--json"], ["--debug"]]) {
      expect(await run(["ls", ...flags], buggy(thrown))).toMatchObject({ exitCode: 70, stdout: "" });
    }
  });
});
