/** `init` with somebody at the terminal, and what is asked of nobody. */
import { X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noPrompt, type Prompt } from "../../src/terminal/prompt.ts";
import { freePort } from "../contract/free-port.ts";
import { adoptCertificates } from "../support/adopt-certificates.ts";
import { loginStatus } from "../support/login.ts";
import { keep, made } from "../support/made-deployment.ts";
import { opensslAuthority } from "../support/openssl-authority.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { run } from "../support/run.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const PASSWORD = "--password-stdin or --password-file";

async function wizard(answers: Readonly<Record<string, string | boolean>>, ...flags: string[]) {
  const root = keep(temporaryDirectory());
  const engine = keep(new ServingEngine());
  await adoptCertificates(join(root.path, "acme"));
  const prompt = recordingPrompt(answers);
  const argv = ["init", "acme", "--bcrypt-cost", "5", ...flags];
  const result = await run(argv, { engine, cwd: root.path, surroundings: { prompt } });
  const directory = join(root.path, "acme");
  /** Other than the certificates that were there before. */
  const made = async () => (await readdir(directory)).filter((name) => name !== "certs");
  return { result, directory, made, engine, asked: prompt.asked };
}

const flagsOf = (asked: readonly { readonly flag: string }[]) => asked.map(({ flag }) => flag);

describe("the questions of init", () => {
  it("come in this order, with these defaults, and what is answered is what is made", async () => {
    const port = await freePort();
    const password = secretForTest();
    const answers = { "--port": String(port), "--user": "ci", "--data": "images" };
    const { result, directory, asked } = await wizard({ ...answers, [PASSWORD]: password });
    expect(result.exitCode).toBe(0);
    expect(asked.map(({ flag, default: otherwise }) => [flag, otherwise])).toEqual([
      ["--domain", "localhost"],
      ["--port", "5000"],
      ["--tls", "own-ca"],
      ["--user", "admin"],
      ["--data", "data"],
      [PASSWORD, undefined],
    ]);
    for (const { message } of asked) expect(message).toMatch(/^[A-Z].{5,75}$/);
    expect(result.stdout).toContain(`https://localhost:${port}`);
    expect(result.stdout).toMatch(/User: +ci\nPassword: +the one you gave\n/);
    expect(result.stdout).not.toContain(password);
    expect(await loginStatus({ directory, port }, "ci", password)).toBe(200);
    expect(await readdir(directory)).toContain("images");
  });

  it("are not asked where a flag has the answer", async () => {
    const all = { domain: "localhost", port: String(await freePort()), tls: "own-ca", user: "ci", data: "images" };
    for (const [name, value] of Object.entries(all)) {
      const { result, asked } = await wizard({ "--port": String(await freePort()) }, `--${name}`, value);
      expect(result.exitCode, result.stderr).toBe(0);
      expect(flagsOf(asked)).toEqual(
        ["--domain", "--port", "--tls", "--user", "--data", PASSWORD].filter((flag) => flag !== `--${name}`),
      );
    }
  });

  it("leave out the user, and the password, without users", async () => {
    const { result, asked, directory } = await wizard({ "--port": String(await freePort()) }, "--auth", "none");
    expect(result.exitCode, result.stderr).toBe(0);
    expect(flagsOf(asked)).toEqual(["--domain", "--port", "--tls", "--data"]);
    expect(result.stdout).not.toMatch(/User:|Password:|docker login/);
    expect(await readFile(join(directory, "regctl.yaml"), "utf8")).toMatch(/^bind: "127.0.0.1"$/m);
  });

  it("ask for the files of a certificate somebody has", async () => {
    const files = keep(temporaryDirectory());
    const authority = await opensslAuthority(files.path);
    const { certFile, keyFile } = await authority.issue(["DNS:registry.test"]);
    const { result, asked, directory } = await wizard(
      {
        ...{ "--domain": "registry.test", "--port": String(await freePort()), "--tls": "provided" },
        ...{ "--cert": certFile, "--key": keyFile },
      },
      ...["--chain", authority.caFile],
    );
    expect(result.exitCode, result.stderr).toBe(0);
    expect(flagsOf(asked)).toEqual(["--domain", "--port", "--tls", "--cert", "--key", "--user", "--data", PASSWORD]);
    expect(new X509Certificate(await readFile(join(directory, "certs/domain.crt"))).raw).toEqual(
      new X509Certificate(await readFile(certFile)).raw,
    );
  });

  it("make a password up where none is typed", async () => {
    const port = await freePort();
    const { result, directory } = await wizard({ "--port": String(port) });
    const [, password = ""] = /^Password: +(\S{24}) {3}\(shown this once\)$/m.exec(result.stdout) ?? [];
    expect(await loginStatus({ directory, port }, "admin", password)).toBe(200);
  });

  it.each([
    ["--domain", "no_host!"],
    ["--domain", "a.test:5000"],
    ["--port", "0"],
    ["--port", "http"],
    ["--user", "a:b"],
    ["--user", "#a"],
  ])("refuse a wrong answer at once: %s %s", async (flag, answer) => {
    const { result, made: files } = await wizard({ "--port": String(await freePort()), [flag]: answer });
    expect(result.stderr).toContain(`${answer} is refused: `);
    expect(await files()).toEqual([]);
  });

  it("are none with --yes", async () => {
    const { result, asked } = await wizard({}, "--yes", "--port", String(await freePort()));
    expect(result.exitCode).toBe(0);
    expect(asked).toEqual([]);
  });
});

describe("without a terminal", () => {
  const questions: Record<string, (prompt: Prompt) => Promise<unknown>> = {
    text: (prompt) => prompt.text({ message: "Which?", flag: "--domain" }),
    choose: (prompt) => prompt.choose({ message: "Which?", flag: "--domain", default: "a", choices: [] }),
    password: (prompt) => prompt.password({ message: "Which?", flag: "--domain" }),
    confirm: (prompt) => prompt.confirm({ message: "Which?", flag: "--domain", default: true }),
  };
  it.each(Object.keys(questions))("a question (%s) is an error that names the flag", async (kind) => {
    await expect(questions[kind]?.(noPrompt)).rejects.toMatchObject({
      code: "input-required",
      message: expect.stringContaining("Which?"),
      hint: "pass --domain",
    });
  });

  it("destroy asks nobody: it names --yes and changes nothing", async () => {
    const { directory, engine } = await made();
    const result = await run(["destroy", "-C", directory], { engine });
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("pass --yes") });
    expect((await engine.containers.inspect("acme-registry-1"))?.state).toBe("running");
  });

  it.each<[string, string, number]>([
    ["no", "", 1],
    ["the wrong name", "acm", 1],
    ["the name", "acme", 0],
  ])("destroy --data on a terminal is answered with %s", async (_, typed, exitCode) => {
    const { directory, engine } = await made();
    const prompt = recordingPrompt({ "--yes --confirm acme": typed });
    const result = await run(["destroy", "--data", "-C", directory], { engine, surroundings: { prompt } });
    expect(result.exitCode).toBe(exitCode);
    expect(flagsOf(prompt.asked)).toEqual(["--yes --confirm acme"]);
    expect((await engine.containers.list({})).length).toBe(exitCode);
  });

  it("destroy on a terminal is declined by default", async () => {
    const { directory, engine } = await made();
    const result = await run(["destroy", "-C", directory], { engine, surroundings: { prompt: recordingPrompt() } });
    expect(result).toMatchObject({ exitCode: 1, stdout: "", stderr: "regctl: nothing was changed\n" });
    expect((await engine.containers.inspect("acme-registry-1"))?.state).toBe("running");
  });
});
