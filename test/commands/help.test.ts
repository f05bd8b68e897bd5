import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli.ts";
import { run } from "../support/run.ts";
import { surroundingsFor } from "../support/surroundings.ts";

const WIDEST = 120;

function verbsBelow(command: Command, path: readonly string[]): (readonly string[])[] {
  return command.commands.flatMap((one) => {
    const own = [...path, one.name()];
    return [own, ...verbsBelow(one, own)];
  });
}

const program = buildProgram(surroundingsFor(), new AbortController().signal, "0.0.0", () => undefined);
const VERBS = verbsBelow(program, []);

describe("--help", () => {
  it("is tested for every verb there is", () => {
    const names = VERBS.map((verb) => verb.join(" "));
    expect(names).toEqual(
      expect.arrayContaining(["init", "up", "adduser", "certs", "certs issue", "images save", "help"]),
    );
    expect(names.length).toBeGreaterThan(25);
  });

  it.each(VERBS.map((verb) => [verb.join(" "), verb] as const))(
    "%s explains itself, with an example",
    async (name, verb) => {
      const { exitCode, stdout, stderr } = await run([...verb, "--help"]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`^Usage: regctl ${name}`));
      expect(stdout.split("\n")[2], "a description follows the usage").toMatch(/^\S.{9}/);
      expect(stdout).toMatch(/\nExamples?:\n {2}\$ .*regctl /);
      expect(stdout.split("\n").filter((line) => line.length > WIDEST)).toEqual([]);
      expect((await run(["help", ...verb])).stdout).toBe(stdout);
    },
  );

  it("of regctl itself lists every verb, the exit codes, and fits", async () => {
    const { exitCode, stdout } = await run(["--help"]);
    expect(exitCode).toBe(0);
    for (const [verb = ""] of VERBS) expect(stdout).toMatch(new RegExp(`\\n {2}${verb}\\b`));
    expect(stdout).toMatch(/Exit codes: 0 ok, .*70 a bug, 130\/143/s);
    expect(stdout.split("\n").filter((line) => line.length > WIDEST)).toEqual([]);
  });

  it.each<[string, string[]]>([
    ["regctl", []],
    ["regctl --json", ["--json"]],
    ["config", ["config"]],
    ["images", ["images"]],
  ])("%s without a verb is help on stdout and no failure", async (_, argv) => {
    const verbs = argv.filter((word) => !word.startsWith("-"));
    expect(await run(argv)).toEqual({ exitCode: 0, stdout: (await run([...verbs, "--help"])).stdout, stderr: "" });
  });

  it.each([["--version"], ["-V"], ["version", "--quiet"]])("%s %s prints the version alone", async (...argv) => {
    const result = await run(argv.filter((word) => word !== undefined));
    expect(result).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) });
  });
});
