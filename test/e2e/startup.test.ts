/** What a command loads before it does anything: one that needs no engine must not wait for the engine's client. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../support/addresses.ts";
import { pty } from "../support/pty.ts";
import { type RegctlOptions, regctl } from "../support/regctl.ts";
import { run } from "../support/run.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const PRELOAD = fileURLToPath(new URL("../support/loaded-packages.mjs", import.meta.url));
/** Each takes longer to load than Node takes to start. */
const HEAVY = /^(dockerode|docker-modem|@grpc\/.*|ssh2|@inquirer\/.*|node-forge)$/;

let work: TemporaryDirectory;
let deployment: string;
beforeAll(async () => {
  work = temporaryDirectory("regctl-test-startup-");
  deployment = join(work.path, "registry");
  // A name of its own: whoever followed the README has a deployment called registry.
  const name = `startup-${process.pid}`;
  const flags = ["--name", name, "--port", String(await freePort()), "--bcrypt-cost", "5"];
  const made = await regctl(["init", deployment, "--yes", "--no-start", ...flags]);
  expect(made, made.stderr).toMatchObject({ exitCode: 0 });
});
afterAll(() => work[Symbol.asyncDispose]());

/** The packages of node_modules that a command loaded, in alphabetical order. */
async function loadedBy(args: readonly string[], options: RegctlOptions = {}, exitCode = 0): Promise<string[]> {
  await using folder = temporaryDirectory("regctl-test-loaded-");
  const file = join(folder.path, "loaded");
  const result = await regctl(args, {
    cwd: deployment,
    nodeArgs: ["--import", PRELOAD],
    ...options,
    env: { REGCTL_TEST_LOADED: file, ...options.env },
  });
  expect(result, result.stderr).toMatchObject({ exitCode });
  const paths = (await readFile(file, "utf8")).split("\n");
  const names = paths.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}

describe("a command that needs no engine", () => {
  it.each([
    ["config show"],
    ["config validate"],
    ["config schema"],
    ["users"],
    ["certs"],
    ["certs ca"],
    ["version"],
    ["completion bash"],
  ])("%s loads neither the engine's client nor prompts nor a certificate library", async (command) => {
    const loaded = await loadedBy(command.split(" "));
    expect(loaded).toContain("commander");
    expect(loaded.filter((name) => HEAVY.test(name))).toEqual([]);
  });

  it.each([
    ["adduser", "bcryptjs"],
    ["passwd", "bcryptjs"],
    ["rmuser", "commander"],
  ])("%s loads nothing heavy beyond %s", async (command, expected) => {
    const needsPassword = command !== "rmuser";
    const args = [command, "robot", ...(needsPassword ? ["--password-stdin"] : [])];
    const loaded = await loadedBy(args, needsPassword ? { input: "only for this test" } : {});
    expect(loaded).toContain(expected);
    expect(loaded.filter((name) => HEAVY.test(name))).toEqual([]);
  });

  it("parses regctl.yaml once: the next command finds what the first one checked", async () => {
    await loadedBy(["users"]);
    expect(await loadedBy(["users"])).toEqual(["commander"]);
  });

  it("is told from one that needs it: that one does load the engine's client, without gRPC and SSH", async () => {
    const noEngine = { env: { DOCKER_HOST: `unix://${join(work.path, "none.sock")}` } };
    const loaded = await loadedBy(["ls"], noEngine, 4);
    expect(loaded).toEqual(expect.arrayContaining(["dockerode", "docker-modem"]));
    expect(loaded.filter((name) => HEAVY.test(name))).toEqual(["docker-modem", "dockerode"]);
  });
});

describe("--help and --version", () => {
  const questions = [["--help"], ["-h"], ["up", "--help"], ["certs", "issue", "-h"], ["--version"], ["-V"]];

  it.each(questions.map((args) => [args.join(" "), args] as const))(
    "%s is written down by the build, and is what the program says",
    async (_, args) => {
      expect(await loadedBy(args)).toEqual([]);
      const { stdout, stderr } = await regctl(args);
      expect({ stdout, stderr }).toEqual({ stdout: (await run(args)).stdout, stderr: "" });
    },
  );

  it.each([
    ["nothing", "--help"],
    ["up", "--nothing", "--help"],
    ["--json", "--help"],
  ])("%s %s is for the program to answer", async (...args) => {
    expect(await loadedBy(args.filter((word) => word !== undefined))).toEqual(["commander"]);
  });

  it("is wrapped anew for a narrow terminal", async () => {
    await using terminal = await pty(["--help"], { columns: 60 });
    const { exitCode, screen } = await terminal.exit();
    expect(exitCode).toBe(0);
    expect(screen).toContain("Usage: regctl");
    expect(screen.split("\n").find((line) => line.startsWith("A private Docker registry"))).toMatch(/^.{30,60}$/);
  });
});
