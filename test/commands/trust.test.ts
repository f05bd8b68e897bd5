import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { CommandResult } from "../../src/host/command.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { runProgram } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

let deployment: Made;
beforeAll(async () => {
  deployment = await made({ flags: ["--san", "registry.test,*.wild.test"] });
}, 60_000);

const trust = (line: string, options: Parameters<typeof run>[1] = {}) =>
  run(["trust", ...line.split(" "), "-C", deployment.directory], options);

describe("trust kit", () => {
  it("prints one script that sh takes, with the authority in it and no secret", async () => {
    const { exitCode, stdout, stderr } = await trust("kit");
    expect(exitCode).toBe(0);
    expect(stdout.startsWith("#!/bin/sh\n")).toBe(true);
    const authority = await readFile(join(deployment.directory, "certs/ca.crt"), "utf8");
    expect(stdout).toContain(authority.trim());
    expect(stdout).not.toContain("PRIVATE KEY");
    for (const shell of ["sh", "bash"])
      expect(await runProgram(shell, ["-n"], { input: stdout })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(stderr).toMatch(/warning: \*\.wild\.test: .*each name/);
    expect(stderr).toMatch(/warning: localhost is a name of this machine alone/);
    expect((await trust("kit -o -")).stdout).toBe(stdout);
  });

  it("writes a file that can be run, and never over another", async () => {
    await using folder = temporaryDirectory();
    const file = join(folder.path, "kit.sh");
    const written = await trust(`kit -o ${file}`);
    expect(written).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`wrote ${file}`) });
    expect((await stat(file)).mode & 0o777).toBe(0o755);
    expect(await trust(`kit -o ${file}`)).toMatchObject({ exitCode: 5, stdout: "" });
    const { data } = JSON.parse((await trust(`kit --format tar -o ${folder.path} --json`)).stdout);
    expect(data).toMatchObject({ needed: true, format: "tar", content: null });
    expect(data.registries).toEqual(
      ["localhost:", "127.0.0.1:", "[::1]:", "registry.test:"].map((host) => expect.stringContaining(host)),
    );
    const { stdout } = await runProgram("tar", ["-tf", data.file]);
    expect(stdout.split("\n").map((name) => name.split("/")[1])).toEqual([
      "kit.sh",
      "kit.ps1",
      "kubernetes.yaml",
      "ca.crt",
      undefined,
    ]);
  });

  it.each([
    ["kubernetes", /^# Makes the nodes of a cluster trust/],
    ["windows", /^# Makes this machine's clients trust/],
    ["docker,skopeo", /\nKIT_CHOSEN='docker,skopeo'\n/],
  ])("for %s is the kit that serves it", async (client, text) => {
    expect((await trust(`kit --client ${client}`)).stdout).toMatch(text);
  });

  it.each([
    ["kit --client nonsense", "no kit for the client"],
    ["kit --client docker;id", "no kit for the client"],
    ["kit --over-ssh -oProxyCommand=id", "no destination for ssh".replace("no", "not a")],
    ["kit --over-ssh root@-x", "not a destination for ssh"],
    ["kit --over-ssh a@b@c", "not a destination for ssh"],
    ["kit --format zip", "Allowed choices are sh, ps1, yaml, tar"],
    ["check --client a,,b", "no kit for the client"],
  ])("%s is wrong usage, and nothing is run", async (line, message) => {
    const ran: string[] = [];
    const surroundings = {
      run: async (file: string): Promise<CommandResult> => {
        ran.push(file);
        return { exitCode: 0, stdout: "", stderr: "" };
      },
    };
    expect(await trust(line, { surroundings })).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining(message),
    });
    expect(ran).toEqual([]);
  });
});

describe("what runs a kit", () => {
  /** Answers as a kit would, and keeps what it was started with. */
  function machine(answer: Partial<CommandResult>) {
    const started: {
      file: string;
      args: readonly string[];
      input: string | undefined;
      env: Readonly<Record<string, string>> | undefined;
    }[] = [];
    const surroundings = {
      run: async (
        file: string,
        args: readonly string[],
        options?: { input?: string | undefined; env?: Readonly<Record<string, string>> | undefined },
      ) => {
        started.push({ file, args, input: options?.input, env: options?.env });
        return { exitCode: 0, stdout: "", stderr: "", ...answer };
      },
    };
    return { started, surroundings };
  }

  it("install hands the kit to sh on its stdin, and says what it did", async () => {
    const { started, surroundings } = machine({ stdout: "change\tdocker\twrote /x\t\nok\tdocker\ta pull\t\n" });
    const environment = { HOME: "/h", SSL_CERT_FILE: "/s", AWS_SECRET_ACCESS_KEY: "secret" };
    const result = await trust("install --client docker --dry-run --json", { surroundings, environment });
    expect(JSON.parse(result.stdout)).toEqual({
      apiVersion: "regctl/v1",
      kind: "trust-install",
      data: {
        ...{ needed: true, host: null, dryRun: true, undo: false },
        events: [
          { kind: "change", client: "docker", text: "wrote /x", fix: null },
          { kind: "ok", client: "docker", text: "a pull", fix: null },
        ],
        checks: [{ client: "docker", verdict: "ok", cause: "a pull", fix: null }],
      },
    });
    expect(started).toHaveLength(1);
    expect(started[0]).toMatchObject({
      file: "sh",
      args: ["-s", "--", "--porcelain", "--client", "docker", "--dry-run"],
    });
    expect(started[0]?.input).toMatch(/^#!\/bin\/sh/);
    expect(started[0]?.env).toEqual({ HOME: "/h", SSL_CERT_FILE: "/s" });
  });

  it("check ends with 3 when something is not trusted, and prints its document all the same", async () => {
    const { surroundings } = machine({ exitCode: 3, stdout: "broken\tpodman\tx509\trun this kit\n" });
    const result = await trust("check --json", { surroundings });
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout).data).toEqual({
      needed: true,
      host: null,
      checks: [{ client: "podman", verdict: "broken", cause: "x509", fix: "run this kit" }],
    });
  });

  it("ssh gets options, the destination and fixed words, and the script on stdin", async () => {
    const { started, surroundings } = machine({ stdout: "same\tkit\tnothing to do\t\n" });
    expect((await trust("kit --over-ssh root@build1 --undo", { surroundings })).exitCode).toBe(0);
    const { file, args, input } = started[0] ?? { file: "", args: [] as readonly string[], input: "" };
    expect(file).toBe("ssh");
    expect(args).toContain("BatchMode=yes");
    expect(args.slice(args.indexOf("--"), -1)).toEqual(["--", "root@build1"]);
    expect(args.at(-1)).toContain("exec sudo -n sh -s -- --porcelain --undo");
    expect(input).toMatch(/^#!\/bin\/sh/);
  });

  it.each<[Partial<CommandResult>, number, RegExp]>([
    [
      { exitCode: 255, stderr: "Host key verification failed." },
      1,
      /ssh cannot log in.*\n.*Host key[\s\S]*hint: make `ssh root@b true` work/,
    ],
    [{ exitCode: 1, stderr: "sudo: a password is required" }, 1, /root is needed on root@b/],
    [
      { exitCode: 2, stderr: "-s --: only root may change what this machine trusts\n  hint: sudo sh -s --" },
      2,
      /only root may/,
    ],
    [{ exitCode: 127, stderr: "sh: not found" }, 1, /exit code 127/],
  ])("a kit that could not run is an error with what to do: %j", async (answer, exitCode, message) => {
    const { surroundings } = machine(answer);
    const result = await trust("kit --over-ssh root@b", { surroundings });
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toMatch(message);
  });
});

describe("trust where there is nothing to trust", () => {
  it("says so: a public certificate needs nothing, plain HTTP cannot be trusted", async () => {
    const other = await made();
    const authority = join(other.directory, "certs/ca.crt");
    const at = (line: string) => run(["trust", ...line.split(" "), "-C", other.directory]);
    await edit(other.directory, /mode: own-ca/, "mode: provided");
    await mkdir(join(other.directory, "certs"), { recursive: true });
    const kept = await readFile(authority);
    await rm(authority);
    for (const verb of ["kit", "install", "check"]) {
      expect(await at(verb)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("nothing has to be installed"),
      });
      expect(JSON.parse((await at(`${verb} --json`)).stdout).data).toEqual({ needed: false, events: [], checks: [] });
    }
    await edit(other.directory, /mode: provided/, "mode: own-ca");
    expect(await at("kit")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("there is no certs/ca.crt") });
    await writeFile(authority, kept);
    await edit(other.directory, /mode: own-ca/, "mode: none");
    await edit(other.directory, /^insecure: false$/m, "insecure: true");
    const plain = await at("kit");
    expect(plain).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("speaks plain HTTP") });
    expect(plain.stderr).toContain("regctl trust insecure --explain");
  });
});

describe("trust insecure", () => {
  it("explains, and changes nothing", async () => {
    for (const line of ["insecure", "insecure --explain"])
      expect(await trust(line)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("takes any certificate"),
      });
  });

  it("is not done without being asked for", async () => {
    const refused = await trust("insecure install");
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toContain("--yes");
    const nobody = { surroundings: { userId: 65534 } };
    expect(await trust("insecure install --yes", nobody)).toMatchObject({ exitCode: expect.any(Number), stdout: "" });
  });
});
