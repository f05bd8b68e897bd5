import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { freePort } from "../contract/free-port.ts";
import { keep, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("init", () => {
  it("answers with one JSON document of the promised shape", async () => {
    const root = keep(temporaryDirectory());
    const engine = keep(new ServingEngine());
    const port = await freePort();
    const result = await run(
      [
        "init",
        "acme",
        "--yes",
        "--json",
        "--port",
        String(port),
        "--user",
        "ci",
        "--password-stdin",
        "--domain",
        "127.0.0.1",
      ],
      { engine, cwd: root.path, stdin: "a good password\n" },
    );
    expect(JSON.parse(result.stdout)).toEqual({
      apiVersion: "regctl/v1",
      kind: "init",
      data: {
        dir: join(root.path, "acme"),
        name: "acme",
        url: `https://127.0.0.1:${port}`,
        domain: "127.0.0.1",
        port,
        user: "ci",
        password: null,
        caFile: join(root.path, "acme/certs/ca.crt"),
        image: "registry:2",
        imageSource: "local",
        containers: ["acme-registry-1"],
      },
    });
    expect(result.stdout + result.stderr).not.toContain("a good password");
  });

  it("keeps keys and secrets to their owner, and no secret in what the engine is told", async () => {
    const { directory, engine, password } = await made();
    for (const file of [
      "certs/ca.key",
      "certs/domain.key",
      "auth/htpasswd",
      "registry/config.yml",
      ".regctl/secrets.json",
    ]) {
      expect((await stat(join(directory, file))).mode & 0o777, file).toBe(0o600);
    }
    for (const folder of ["certs", "auth", "registry", "data", ".regctl"])
      expect((await stat(join(directory, folder))).mode & 0o777, folder).toBe(0o700);
    const { httpSecret } = JSON.parse(await readFile(join(directory, ".regctl/secrets.json"), "utf8")) as {
      httpSecret: string;
    };
    const container = JSON.stringify(await engine.containers.inspect("acme-registry-1"));
    const compose = await readFile(join(directory, "compose.yaml"), "utf8");
    for (const secret of [httpSecret, password]) {
      expect(container).not.toContain(secret);
      expect(compose).not.toContain(secret);
    }
    expect(await readFile(join(directory, "registry/config.yml"), "utf8")).toContain(httpSecret);
  });

  it("refuses a folder that is a deployment, and leaves it alone", async () => {
    const { directory, engine } = await made();
    const before = await readFile(join(directory, "regctl.yaml"), "utf8");
    const again = await run(["init", directory, "--yes"], { engine });
    expect(again.exitCode).toBe(5);
    expect(again.stderr).toContain("already is a deployment");
    expect(await readFile(join(directory, "regctl.yaml"), "utf8")).toBe(before);
  });

  it("lists every failed precondition together and touches nothing", async () => {
    const { engine, port } = await made();
    const root = keep(temporaryDirectory());
    const directory = join(root.path, "acme");
    const result = await run(["init", directory, "--yes", "--port", String(port)], { engine });
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain(`${port} is taken by the container acme-registry-1`);
    expect(result.stderr).toContain("a deployment called acme exists already");
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each<[string, string[], RegExp]>([
    ["a domain that is no host name", ["--domain", "no_host!"], /domain/],
    ["an address with a port", ["--domain", "example.com:5000"], /domain/],
    ["a wildcard as the domain", ["--domain", "*.example.com"], /wildcard/],
    ["a user with a colon", ["--user", "a:b"], /colon/],
    ["an image reference that is none", ["--image", "Registry:2"], /image/],
    ["an image of unknown major version", ["--image", "mine/registry:latest"], /distribution: 2/],
    ["a bind address that is none", ["--bind", "example.com"], /bind/],
    ["plain HTTP for everybody", ["--tls", "none", "--bind", "0.0.0.0"], /insecure/],
    ["a certificate without its key", ["--tls", "provided", "--cert", "x"], /--key/],
    ["a certificate without --tls provided", ["--cert", "x", "--key", "y"], /--tls provided/],
    ["a port that is none", ["--port", "0"], /whole number from 1 to 65535/],
    ["a mode that is none", ["--tls", "acme"], /own-ca, provided, none/],
    ["a name that is none", ["--name", "Not A Name"], /name/],
  ])("refuses %s with exit 2 and touches nothing", async (_, flags, expected) => {
    const root = keep(temporaryDirectory());
    const result = await run(["init", join(root.path, "acme"), "--yes", ...flags], { engine: new ServingEngine() });
    expect(result.stderr).toMatch(expected);
    expect(result.exitCode).toBe(2);
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each(["", "\n", `${"x".repeat(73)}\n`])("refuses the password %j", async (stdin) => {
    const root = keep(temporaryDirectory());
    const result = await run(["init", join(root.path, "acme"), "--yes", "--password-stdin"], {
      engine: new ServingEngine(),
      stdin,
    });
    expect(result).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("the password is") });
    expect(await readdir(root.path)).toEqual([]);
  });

  it("needs --yes where nobody can be asked", async () => {
    const result = await run(["init", "/nonexistent/x"]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("pass --yes") });
  });

  it("says how to get an engine when none answers and none may be installed", async () => {
    const root = keep(temporaryDirectory());
    const refuse = async () => {
      throw new RegctlError("engine-unreachable", "no engine answers on unix:///nowhere", { hint: "start it" });
    };
    const result = await run(["init", join(root.path, "acme"), "--yes", "--port", String(await freePort())], {
      environment: { DOCKER_HOST: "unix:///nowhere" },
      surroundings: { connectEngine: refuse },
    });
    expect(result).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining("no engine answers on unix:///nowhere"),
    });
    expect(await readdir(root.path)).toEqual([]);
  });

  it("writes everything and starts nothing with --no-start, without an engine", async () => {
    const root = keep(temporaryDirectory());
    const directory = join(root.path, "acme");
    const refuse = async () => {
      throw new RegctlError("engine-unreachable", "no engine");
    };
    const result = await run(["init", directory, "--yes", "--no-start", "--port", String(await freePort())], {
      surroundings: { connectEngine: refuse },
    });
    expect(result.exitCode).toBe(0);
    expect((await readdir(directory)).sort()).toEqual([
      ".regctl",
      "auth",
      "certs",
      "compose.yaml",
      "data",
      "regctl.yaml",
      "registry",
    ]);
    const engine = keep(new ServingEngine());
    expect(await run(["up", "--dir", directory], { engine })).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("+ container"),
    });
  });
});
