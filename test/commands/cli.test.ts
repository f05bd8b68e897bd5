import type { Command } from "commander";
import { beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../../src/cli.ts";
import { regctl } from "../support/regctl.ts";
import { run } from "../support/run.ts";
import { runProgram } from "../support/run-program.ts";
import { surroundingsFor } from "../support/surroundings.ts";

interface Received {
  readonly command: string;
  readonly args: readonly unknown[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly globals: Readonly<Record<string, unknown>>;
}

function path(command: Command): string {
  return command.parent === null ? "" : `${path(command.parent)} ${command.name()}`.trim();
}

/** What the command of a command line is called with, by the real table, with every action replaced. */
async function received(argv: readonly string[]): Promise<Received> {
  const found: Received[] = [];
  const { signal } = new AbortController();
  const program = buildProgram(surroundingsFor(), signal, "0.0.0", () => undefined);
  const listen = (command: Command): void => {
    command.commands.forEach(listen);
    if (command.commands.length > 0 && command.name() !== "certs") return;
    command.action((...given: unknown[]) => {
      const globals = (given.at(-1) as Command).parent?.optsWithGlobals() ?? {};
      found.push({
        command: path(command),
        args: given.slice(0, -2),
        flags: given.at(-2) as Received["flags"],
        globals,
      });
    });
  };
  program.commands.forEach(listen);
  await program.parseAsync([...argv], { from: "user" });
  expect(found).toHaveLength(1);
  return found[0] as Received;
}

const DEFAULTS = { json: false, quiet: false, verbose: false, debug: false, yes: false, input: true, color: true };

describe("each command receives", () => {
  it.each<[string, string, readonly unknown[], Readonly<Record<string, unknown>>]>([
    ["init", "init", [undefined], { start: true }],
    [
      "init /srv/acme --name acme --domain a.test --san b.test,c.test --san d.test --bind 127.0.0.1 --port 443",
      "init",
      ["/srv/acme"],
      {
        start: true,
        name: "acme",
        domain: "a.test",
        san: ["b.test", "c.test", "d.test"],
        bind: "127.0.0.1",
        port: 443,
      },
    ],
    [
      "init --image registry:3 --tls provided --cert c.pem --key k.pem --chain i.pem --auth htpasswd --user ci",
      "init",
      [undefined],
      {
        ...{ start: true, image: "registry:3", tls: "provided", cert: "c.pem", key: "k.pem", chain: "i.pem" },
        ...{ auth: "htpasswd", user: "ci" },
      },
    ],
    [
      "init --password-stdin --password-file pw --data /mnt/d --bcrypt-cost 12 --install-engine --offline --no-start --insecure",
      "init",
      [undefined],
      {
        ...{ passwordStdin: true, passwordFile: "pw", data: "/mnt/d", bcryptCost: 12, installEngine: true },
        ...{ offline: true, start: false, insecure: true },
      },
    ],
    ["up --dry-run --offline", "up", [], { dryRun: true, offline: true }],
    ["down --dry-run", "down", [], { dryRun: true }],
    ["restart", "restart", [], {}],
    ["status", "status", [], {}],
    ["logs -f --tail 20 --since 10m -t", "logs", [], { follow: true, tail: 20, since: "10m", timestamps: true }],
    ["logs --follow --tail 0 --timestamps", "logs", [], { follow: true, tail: 0, timestamps: true }],
    ["doctor", "doctor", [], {}],
    [
      "doctor --from-client a.test:5000 --ca ca.crt --user ci --password-file pw --fix",
      "doctor",
      [],
      { fromClient: "a.test:5000", ca: "ca.crt", user: "ci", passwordFile: "pw", fix: true },
    ],
    ["ls", "ls", [], {}],
    ["destroy --data --confirm acme --dry-run", "destroy", [], { data: true, confirm: "acme", dryRun: true }],
    ["adduser ci --password-stdin", "adduser", ["ci"], { passwordStdin: true }],
    ["adduser -- -strange", "adduser", ["-strange"], {}],
    ["passwd ci --password-file -", "passwd", ["ci"], { passwordFile: "-" }],
    ["rmuser ci", "rmuser", ["ci"], {}],
    ["users", "users", [], {}],
    ["certs", "certs", [], {}],
    ["certs issue a.test 10.0.0.1", "certs issue", [["a.test", "10.0.0.1"]], {}],
    ["certs renew", "certs renew", [], {}],
    ["certs ca", "certs ca", [undefined], {}],
    ["certs ca out.crt", "certs ca", ["out.crt"], {}],
    ["config show", "config show", [], {}],
    ["config validate", "config validate", [], {}],
    ["config schema", "config schema", [], {}],
    ["images list", "images list", [], {}],
    ["images pull", "images pull", [undefined], {}],
    ["images pull registry:3", "images pull", ["registry:3"], {}],
    ["images build", "images build", [], {}],
    [
      "images save -o out.tar registry:2 registry:3",
      "images save",
      [["registry:2", "registry:3"]],
      { output: "out.tar" },
    ],
    ["images load in.tar", "images load", ["in.tar"], {}],
    ["completion bash", "completion", ["bash"], {}],
    ["version --engine", "version", [], { engine: true }],
    ["help certs issue", "help", [["certs", "issue"]], {}],
  ])("%s", async (line, command, args, flags) => {
    expect(await received(line.split(" "))).toEqual({ command, args, flags, globals: DEFAULTS });
  });

  it.each([
    "-C /srv --json -q -v --debug -y --no-input --no-color --timeout 90 certs issue a.test",
    "certs -C /srv --json -q -v --debug -y --no-input --no-color --timeout 90 issue a.test",
    "certs issue a.test --dir /srv --json --quiet --verbose --debug --yes --no-input --no-color --timeout 90",
  ])("the global flags wherever they stand: %s", async (line) => {
    expect(await received(line.split(" "))).toMatchObject({
      command: "certs issue",
      args: [["a.test"]],
      globals: {
        ...{ dir: "/srv", json: true, quiet: true, verbose: true, debug: true, yes: true, input: false, color: false },
        timeout: 90,
      },
    });
  });
});

describe("a wrong command line", () => {
  it.each<[string, string, RegExp]>([
    ["stat", "unknown command 'stat'", /Did you mean status\?/],
    ["config sho", "unknown command 'sho'", /Did you mean show\?/],
    ["status --jsn", "unknown option '--jsn'", /Did you mean --json\?/],
    ["init --no-stat", "unknown option '--no-stat'", /Did you mean --no-start\?/],
    ["frobnicate", "unknown command 'frobnicate'", /--help/],
    ["help frobnicate", "unknown command 'frobnicate'", /regctl --help/],
    ["help certs frobnicate", "unknown command 'certs frobnicate'", /regctl --help/],
    ["adduser", "missing required argument 'name'", /--help/],
    ["certs issue", "missing required argument 'host'", /--help/],
    ["rmuser a b", "too many arguments for 'rmuser'. Expected 1 argument but got 2.", /--help/],
    ["images save", "required option '-o, --output <file>' not specified", /--help/],
    ["-C", "option '-C, --dir <folder>' argument missing", /--help/],
    ...["x", "0", "-1", "1.5", "86401", "1e9", ""].map((value): [string, string, RegExp] => [
      `ls --timeout=${value}`,
      `option '--timeout <seconds>' argument '${value}' is invalid. It should be a whole number from 1 to 86400.`,
      /--help/,
    ]),
    [
      "init --auth token",
      "option '--auth <mode>' argument 'token' is invalid. Allowed choices are htpasswd, none.",
      /--help/,
    ],
    ["logs --tail ten", "option '--tail <lines>' argument 'ten' is invalid. It should be a whole number", /--help/],
  ])("%s", async (line, problem, hint) => {
    const text = await run(line.split(" "));
    expect(text).toMatchObject({ exitCode: 2, stdout: "" });
    expect(text.stderr).toMatch(/^regctl: .*\n {2}hint: .*\n$/);
    expect(text.stderr).toContain(`regctl: ${problem}`);
    expect(text.stderr).toMatch(hint);

    const json = await run([...line.split(" "), ...(line === "-C" ? [] : ["--json"])]);
    expect(json).toMatchObject({ exitCode: 2, stdout: "" });
    if (line === "-C") return;
    const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string; hint: string } };
    expect(error).toMatchObject({
      code: "usage",
      message: expect.stringContaining(problem),
      hint: expect.stringMatching(hint),
    });
  });
});

describe("completion", () => {
  // A fresh clone builds itself on the first use, and says so.
  beforeAll(() => regctl(["--version"]), 60_000);

  it.each(["completion bash", "--no-color completion bash", "completion bash --quiet"])(
    "prints a script that bash accepts: %s",
    async (line) => {
      const { exitCode, stdout, stderr } = await regctl(line.split(" "));
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("complete -F __regctl_complete regctl");
      expect(await runProgram("bash", ["-n"], { input: stdout })).toMatchObject({ exitCode: 0, stderr: "" });
    },
  );

  it("refuses a shell it does not know", async () => {
    const result = await run(["completion", "tcsh"]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("bash") });
  });
});
