import { X509Certificate } from "node:crypto";
import { chmod, chown, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../contract/free-port.ts";
import { filesBelow } from "../support/files-below.ts";
import { loginStatus } from "../support/login.ts";
import { edit, keep, type Made, made } from "../support/made-deployment.ts";
import { opensslAuthority } from "../support/openssl-authority.ts";
import { type RunOptions, run } from "../support/run.ts";
import { runProgram } from "../support/run-program.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NOW = new Date();
const KEYS = ["certs/ca.crt", "certs/ca.key", "certs/domain.crt", "certs/domain.key"];

interface Info {
  readonly subject: string;
  readonly issuer: string;
  readonly sans: readonly string[];
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly sha256: string;
}

function at({ directory, engine }: Pick<Made, "directory" | "engine">) {
  const command = (line: string, options: RunOptions = {}) =>
    run([...line.split(" "), "-C", directory], { engine, now: NOW, ...options });
  return {
    command,
    read: (file: string) => readFile(join(directory, file), "utf8"),
    data: async <T>(line: string) => (JSON.parse((await command(`${line} --json`)).stdout) as { data: T }).data,
    openssl: async (...args: string[]) => (await runProgram("openssl", args, { cwd: directory })).stdout,
  };
}

describe("certs", () => {
  let deployment: Made;
  beforeAll(async () => {
    deployment = await made();
  }, 60_000);

  it("shows what openssl sees, leaf first, then the authority", async () => {
    const { data, openssl } = at(deployment);
    const { chain, caFile } = await data<{ chain: Info[]; caFile: string }>("certs");
    expect(caFile).toBe(join(deployment.directory, "certs/ca.crt"));
    expect(chain).toHaveLength(2);
    for (const [file, info] of [
      ["certs/domain.crt", chain[0]],
      ["certs/ca.crt", chain[1]],
    ] as const) {
      const [fingerprint = "", end = ""] = (
        await openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256", "-enddate")
      ).split("\n");
      const notAfter = new Date(end.replace("notAfter=", ""));
      expect(info?.sha256.replaceAll(":", "").toLowerCase()).toBe(
        fingerprint.replace(/^.*=/, "").replaceAll(":", "").toLowerCase(),
      );
      expect(new Date(info?.notAfter ?? "")).toEqual(notAfter);
      expect(info?.daysLeft).toBe(Math.floor((notAfter.getTime() - NOW.getTime()) / 86_400_000));
    }
    expect(chain[0]?.sans).toEqual(["localhost", "127.0.0.1", "::1"]);
    expect(chain[0]?.issuer).toBe(chain[1]?.subject);
  });

  it("shows it to people as well", async () => {
    const { stdout, exitCode } = await at(deployment).command("certs");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Subject: .*\nIssuer: .*\nCovers: +localhost, 127.0.0.1, ::1\nValid until: .*days left\)/);
    expect(stdout).toContain(`Clients trust: ${deployment.directory}/certs/ca.crt`);
  });

  it("needs no engine", async () => {
    const refuse = { surroundings: { connectEngine: () => Promise.reject(new Error("nobody was to ask")) } };
    for (const argv of [["certs"], ["certs", "ca"]]) {
      expect((await run([...argv, "-C", deployment.directory], refuse)).exitCode).toBe(0);
    }
  });

  it("ca prints the authority, and copies it", async () => {
    const { command, read } = at(deployment);
    await using folder = temporaryDirectory();
    const authority = await read("certs/ca.crt");
    for (const flags of ["", " -q"]) expect((await command(`certs ca${flags}`)).stdout).toBe(authority);
    const copied = await command("certs ca out.crt", { cwd: folder.path });
    expect(copied).toMatchObject({ exitCode: 0, stderr: "", stdout: `copied to ${folder.path}/out.crt\n` });
    expect(await readFile(join(folder.path, "out.crt"), "utf8")).toBe(authority);

    await writeFile(join(folder.path, "out.crt"), "something else");
    const refused = await command("certs ca out.crt", { cwd: folder.path });
    expect(refused).toMatchObject({ exitCode: 5, stdout: "", stderr: expect.stringContaining("exists already") });
    expect(await readFile(join(folder.path, "out.crt"), "utf8")).toBe("something else");
    expect(await command("certs ca no/such/folder/out.crt")).toMatchObject({ exitCode: 1, stdout: "" });
  });
});

describe("certs renew", () => {
  it("replaces the leaf and its key under the same authority, and serves it", async () => {
    const deployment = await made();
    const { command, read, openssl, data } = at(deployment);
    const before = await Promise.all(KEYS.map(read));
    const { data: renewed } = JSON.parse((await command("certs renew --json")).stdout) as {
      data: { changes: { kind: string; name: string; because: string }[]; chain: Info[] };
    };
    const after = await Promise.all(KEYS.map(read));
    expect(KEYS.filter((_, index) => before[index] !== after[index])).toEqual(["certs/domain.crt", "certs/domain.key"]);
    expect(renewed.changes).toContainEqual(
      expect.objectContaining({ kind: "container", name: "acme-registry-1", because: "certificate changed" }),
    );
    expect(renewed.chain).toEqual((await data<{ chain: Info[] }>("certs")).chain);
    expect(await openssl("verify", "-CAfile", "certs/ca.crt", "certs/domain.crt")).toContain("domain.crt: OK");
    expect(await loginStatus(deployment, "admin", deployment.password)).toBe(200);
    expect(await command("status")).toMatchObject({ exitCode: 0 });
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
  });

  it("changes nothing when the engine does not answer", async () => {
    const { directory } = await made();
    const before = await filesBelow(join(directory, "certs"));
    const result = await run(["certs", "renew", "-C", directory], {
      environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" },
    });
    expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    expect(await filesBelow(join(directory, "certs"))).toEqual(before);
  });

  it.each(["certs/ca.key", "certs/ca.crt"])("never makes up for a lost %s", async (lost) => {
    const deployment = await made();
    const { command } = at(deployment);
    await rm(join(deployment.directory, lost));
    const before = await filesBelow(join(deployment.directory, "certs"));
    for (const line of ["certs renew", "certs issue other.test"]) {
      const result = await command(line);
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(new RegExp(`${lost} is missing.*\\n {2}hint: .*backup`));
    }
    expect(await filesBelow(join(deployment.directory, "certs"))).toEqual(before);
    expect(await readFile(join(deployment.directory, "regctl.yaml"), "utf8")).toContain("san: []");
    if (lost === "certs/ca.crt") {
      expect(await command("certs ca")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("backup") });
    }
  });
});

describe("certs issue", () => {
  it("covers new names, writes them into regctl.yaml with its comments kept, and is done once", async () => {
    const deployment = await made();
    const { command, read } = at(deployment);
    await edit(deployment.directory, "san: []", "san: [first.test]   # mine");
    await command("up");
    const [text, authority] = await Promise.all([read("regctl.yaml"), read("certs/ca.crt")]);
    const issued = await command("certs issue Second.TEST 10.0.0.7 second.test first.test localhost 127.0.0.1");
    expect(issued).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("~ container") });
    expect(issued.stdout).toContain("covers localhost, first.test, second.test, ");
    expect(await read("regctl.yaml")).toBe(
      text.replace("san: [first.test]", 'san: ["first.test", "second.test", "10.0.0.7"]'),
    );
    const leaf = new X509Certificate(await read("certs/domain.crt"));
    for (const host of ["second.test", "first.test"]) expect(leaf.checkHost(host), host).toBe(host);
    for (const address of ["10.0.0.7", "127.0.0.1"]) expect(leaf.checkIP(address), address).toBe(address);
    expect(await read("certs/ca.crt")).toBe(authority);
    expect(await loginStatus(deployment, "admin", deployment.password)).toBe(200);

    const files = await filesBelow(join(deployment.directory, "certs"));
    const again = await command("certs issue second.test 10.0.0.7 --json");
    expect((JSON.parse(again.stdout) as { data: { changes: unknown[] } }).data.changes).toEqual([]);
    expect(await filesBelow(join(deployment.directory, "certs"))).toEqual(files);
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
  });

  it("leaves the mode and the owner of regctl.yaml", async () => {
    const deployment = await made();
    const file = join(deployment.directory, "regctl.yaml");
    await chmod(file, 0o640);
    if (process.getuid?.() === 0) await chown(file, 1234, 1234);
    const before = await stat(file);
    expect((await at(deployment).command("certs issue a.test")).exitCode).toBe(0);
    const { mode, uid, gid } = await stat(file);
    expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
  });

  it.each([
    ["no_host!", /"no_host!" is not a host/],
    ["https://a.test", /write the host alone: a.test/],
    ["a.test:5000", /it carries a port/],
  ])("refuses %s and changes nothing", async (host, problem) => {
    const { directory, engine } = await made();
    const kept = async () =>
      Object.entries(await filesBelow(directory)).filter(([path]) => !/^\.regctl\/(audit.log|config.json)$/.test(path));
    const before = await kept();
    const result = await run(["certs", "issue", "good.test", host, "-C", directory], { engine });
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
    expect(await kept()).toEqual(before);
  });
});

describe("a certificate its owner provided", () => {
  it("is shown; new ones are refused with the way to get one", async () => {
    const root = keep(temporaryDirectory());
    const authority = await opensslAuthority(root.path);
    const { certFile, keyFile } = await authority.issue(["DNS:registry.test"]);
    const directory = join(root.path, "acme");
    const engine = keep(new ServingEngine());
    const provided = ["--tls", "provided", "--cert", certFile, "--key", keyFile, "--chain", authority.caFile];
    const flags = ["--domain", "registry.test", "--port", String(await freePort()), "--bcrypt-cost", "5", "--yes"];
    expect(await run(["init", directory, ...flags, ...provided], { engine })).toMatchObject({ exitCode: 0 });
    const { command, read } = at({ directory, engine });
    expect(new X509Certificate(await read("certs/domain.crt")).raw).toEqual(
      new X509Certificate(await readFile(certFile)).raw,
    );
    expect((await command("certs")).stdout).toContain("Covers:      registry.test");
    expect(new X509Certificate((await command("certs ca")).stdout).raw).toEqual(
      new X509Certificate(authority.caPem).raw,
    );
    const before = await filesBelow(join(directory, "certs"));
    for (const line of ["certs renew", "certs issue other.test"]) {
      const result = await command(line);
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(/was provided.*\n {2}hint: .*regctl certs import CERTIFICATE --key KEY/);
    }
    expect(await filesBelow(join(directory, "certs"))).toEqual(before);
  });
});

describe("without TLS", () => {
  it.each(["certs", "certs renew", "certs issue a.test", "certs ca"])("%s says so", async (line) => {
    await using folder = temporaryDirectory();
    await writeFile(join(folder.path, "regctl.yaml"), "tls: { mode: none }\n");
    const result = await run([...line.split(" "), "-C", folder.path]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/tls.mode is none|without TLS/);
  });
});
