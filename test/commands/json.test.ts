/** What scripts read: one document on stdout for every verb, of a shape that only grows. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { freePort } from "../contract/free-port.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const CERTIFICATE = ["subject", "issuer", "sans", "notAfter", "daysLeft", "sha256"];
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** `a.b[].c` for every key there is. */
function keysOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => keysOf(item, `${path}[]`)))];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const own = path === "" ? key : `${path}.${key}`;
    return [own, ...keysOf(child, own)];
  });
}

function timesOf(value: unknown): string[] {
  if (typeof value === "string") return /^\d{4}-\d\d-\d\d/.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(timesOf) : [];
}

describe("--json", () => {
  let deployment: Made;
  const folder = temporaryDirectory();
  beforeAll(async () => {
    deployment = await made();
    return () => folder[Symbol.asyncDispose]();
  }, 60_000);

  /** In this order: each finds what the one before left. */
  it.each<[string, string, readonly string[]]>([
    ["users", "users", ["users", "users[].name", "users[].cost"]],
    ["adduser ci", "adduser", ["user", "password"]],
    ["passwd ci", "passwd", ["user", "password"]],
    ["rmuser ci", "rmuser", ["user"]],
    ["certs", "certs", ["chain", ...CERTIFICATE.map((key) => `chain[].${key}`), "caFile", "authority.daysLeft"]],
    ["certs ca", "certs-ca", ["pem"]],
    ["certs ca ca.crt", "certs-ca", ["file"]],
    ["certs issue a.test", "certs-issue", ["changes[].because", ...CERTIFICATE.map((key) => `chain[].${key}`)]],
    ["certs renew --if-due", "certs-renew", ["dryRun", "changes", "due", "belowDays", "chain[].notAfter"]],
    ["certs renew", "certs-renew", ["changes[].because", ...CERTIFICATE.map((key) => `chain[].${key}`)]],
    [
      "certs rollover",
      "certs-rollover",
      ["dryRun", "outcome", "because", "changes[].because", "rollover.kind", "rollover.authority.sha256"],
    ],
    ["certs rollover --finish --yes", "certs-rollover", ["outcome", "rollover"]],
    ["certs client ci", "certs-client", ["name", "serial", "sha256", "notAfter", "folder", "files", "clientAuth"]],
    ["certs clients", "certs-clients", ["clientAuth", "clients[].name", "clients[].state", "clients[].revoked"]],
    ["certs revoke ci", "certs-revoke", ["name", "revoked[].serial", "changes"]],
    [
      "config show",
      "config",
      ["file", "values", "values[].path", "values[].value", "values[].origin", "values[].line"],
    ],
    ["config validate", "config-validate", ["file", "valid"]],
    ["images list", "images", ["images[].reference", "images[].id", "images[].sizeBytes", "images[].usedBy"]],
    ["images save -o out.tar", "images-save", ["file", "checksumFile", "references", "bytes", "sha256"]],
    ["images load out.tar", "images-load", ["images"]],
    ["ls", "ls", ["deployments[].name", "deployments[].directory", "deployments[].containers[].state"]],
    ["version --engine", "version", ["regctl", "node", "engine.version", "engine.apiVersion"]],
    ["version", "version", ["regctl", "node", "engine"]],
    ["restart", "restart", ["containers"]],
    [
      "status",
      "status",
      [
        ...["name", "url", "healthy", "problems", "drift", "users", "disk.bytes", "warnings", "notes"],
        ...["service", "name", "state", "image", "ports"].map((key) => `containers[].${key}`),
        ...["notAfter", "daysLeft", "sans"].map((key) => `certificate.${key}`),
      ],
    ],
    ["up --dry-run", "up", ["dryRun", "changes"]],
    ["down --dry-run", "down", ["action", "kind", "name", "because"].map((key) => `changes[].${key}`)],
    ["down", "down", ["dryRun", "changes[].action"]],
    ["up", "up", ["action", "kind", "name", "because"].map((key) => `changes[].${key}`)],
    ["destroy --dry-run", "destroy", ["dryRun", "data", "changes"]],
    ["destroy --yes", "destroy", ["dryRun", "data", "changes"]],
  ])("%s: one document of kind %s, and nothing beside it", async (line, kind, keys) => {
    const { directory, engine } = deployment;
    const argv = [...line.split(" "), "-C", directory, "--json"];
    const { exitCode, stdout, stderr } = await run(argv, { engine, cwd: folder.path });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const document = JSON.parse(stdout) as { data: unknown };
    expect(document).toEqual({ apiVersion: "regctl/v1", kind, data: expect.any(Object) });
    expect(keysOf(document.data)).toEqual(expect.arrayContaining([...keys]));
    for (const time of timesOf(document.data)) expect(time).toMatch(RFC3339);
  });
});

describe("an error with --json", () => {
  it.each<[string, string[], number, string]>([
    ["a wrong command line", ["frobnicate"], 2, "usage"],
    ["a missing deployment", ["status", "-C", "/nowhere"], 2, "no-deployment"],
    ["a question nobody answers", ["init", "/nowhere/x"], 2, "input-required"],
    ["a file that is not there", ["images", "load", "/nowhere/x.tar"], 2, "not-found"],
  ])("%s is one object on stderr", async (_, argv, exitCode, code) => {
    const result = await run([...argv, "--json"]);
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(JSON.parse(result.stderr)).toEqual({
      error: { code, message: expect.any(String), hint: expect.any(String), details: expect.any(Object) },
    });
    expect(result.stderr.match(/\n/g)).toHaveLength(1);
  });

  it("carries every issue with its line", async () => {
    await using folder = temporaryDirectory();
    await writeFile(join(folder.path, "regctl.yaml"), "port: x\nprt: 1\n");
    const result = await run(["up", "-C", folder.path, "--json"]);
    const { error } = JSON.parse(result.stderr) as { error: { details: { issues: unknown[] } } };
    expect(error.details.issues).toEqual([
      { path: "port", line: 1, message: expect.any(String) },
      { path: "prt", line: 2, message: expect.any(String), hint: expect.any(String) },
    ]);
  });

  it("of the engine keeps its code and its exit code", async () => {
    const { directory } = await made();
    const refuse = async () => {
      throw new RegctlError("engine-denied", "no right to use the socket", { hint: "usermod -aG docker you" });
    };
    const result = await run(["up", "-C", directory, "--json"], { surroundings: { connectEngine: refuse } });
    expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    expect(JSON.parse(result.stderr)).toMatchObject({
      error: { code: "engine-denied", hint: "usermod -aG docker you" },
    });
  });

  it("follows warnings, each an object on a line of its own", async () => {
    await using folder = temporaryDirectory();
    await writeFile(join(folder.path, "pw"), "x".repeat(80), { mode: 0o644 });
    await writeFile(join(folder.path, "regctl.yaml"), "port: 6000\n");
    const result = await run(["adduser", "ci", "--password-file", "pw", "--json"], { cwd: folder.path });
    const lines = result.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines.map((line) => Object.keys(line))).toEqual([["warning"], ["error"]]);
  });
});

describe("-q", () => {
  it("leaves the answer alone", async () => {
    const { directory, engine } = await made();
    const quiet = async (...argv: string[]) => run([...argv, "-q", "-C", directory], { engine });
    expect(await quiet("status")).toEqual({ exitCode: 0, stdout: "healthy\n", stderr: "" });
    expect(await quiet("ls")).toEqual({ exitCode: 0, stdout: "acme\n", stderr: "" });
    await edit(directory, /port: \d+/, `port: ${await freePort()}`);
    expect(await quiet("up")).toMatchObject({ exitCode: 0, stderr: "" });
  });
});
