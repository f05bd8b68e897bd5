import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterAll, describe, expect, it } from "vitest";
import { schemaProblems } from "../support/json-schema.ts";
import { made } from "../support/made-deployment.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());

/** No engine is given: none of these may ask for one. */
async function config(verb: string, text: string, ...flags: string[]) {
  await writeFile(join(folder.path, "regctl.yaml"), text);
  return run(["config", verb, "-C", folder.path, ...flags]);
}

interface Value {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
  readonly line?: number;
}

async function values(text: string): Promise<Readonly<Record<string, Value>>> {
  const { stdout, stderr } = await config("show", text, "--json");
  expect(stderr).toBe("");
  const { data } = JSON.parse(stdout) as { data: { values: Value[] } };
  return Object.fromEntries(data.values.map((value) => [value.path, value]));
}

describe("config show", () => {
  it("tells each value and the line it comes from", async () => {
    const shown = await values(
      "# c\nname: acme\nport: 6000\n\nregistry:\n  log:\n    level: warn\n  http:\n    headers: { X-A: [b] }\n",
    );
    expect(shown.name).toEqual({ path: "name", value: "acme", origin: "regctl.yaml", line: 2 });
    expect(shown.port).toEqual({ path: "port", value: 6000, origin: "regctl.yaml", line: 3 });
    expect(shown["registry.log.level"]).toEqual({
      ...{ path: "registry.log.level", value: "warn", origin: "regctl.yaml", line: 7 },
    });
    expect(shown["registry.http.headers.X-A"]).toMatchObject({ value: ["b"], origin: "regctl.yaml", line: 9 });
    expect(shown.domain).toEqual({ path: "domain", value: "localhost", origin: "default" });
    expect(shown["tls.mode"]).toEqual({ path: "tls.mode", value: "own-ca", origin: "default" });
    expect(shown["registry.storage.delete.enabled"]).toMatchObject({ value: true, origin: "default" });
    const { stdout } = await config("show", "port: 6000\n");
    expect(stdout).toMatch(/^KEY +VALUE +FROM\n/);
    expect(stdout).toMatch(/^port +6000 +regctl.yaml:1$/m);
    expect(stdout).toMatch(/^domain +localhost +default$/m);
  });

  it.each<[string, string, (secret: string) => string]>([
    ["the registry's own", "registry.http.secret", (secret) => `http: { secret: ${secret} }`],
    ["redis'", "registry.redis.password", (secret) => `redis: { addr: "r:6379", password: ${secret} }`],
    [
      "the proxy's",
      "registry.proxy.password",
      (secret) => `proxy: { remoteurl: "https://up.test", username: u, password: ${secret} }`,
    ],
    [
      "S3's",
      "registry.storage.s3.secretkey",
      (secret) => `storage: { s3: { region: r, bucket: b, accesskey: a, secretkey: ${secret} } }`,
    ],
    [
      "a service account's",
      "registry.storage.gcs.credentials.private_key",
      (secret) => `storage: { gcs: { bucket: b, credentials: { private_key: ${secret} } } }`,
    ],
    [
      "a notification's",
      "registry.notifications.endpoints[0].headers.Authorization",
      (secret) =>
        `notifications: { endpoints: [{ name: n, url: "https://n.test", headers: { Authorization: [Bearer ${secret}] } }] }`,
    ],
    [
      "a notification URL's",
      "registry.notifications.endpoints[0].url",
      (secret) => `notifications: { endpoints: [{ name: n, url: "https://user:${secret}@n.test/hook" }] }`,
    ],
    [
      "a mail hook's",
      "registry.log.hooks[0].options.smtp.password",
      (secret) =>
        `log: { hooks: [{ type: mail, levels: [panic], options: { smtp: { addr: "m:25", username: u, password: ${secret} }, from: f@m, to: [t@m] } }] }`,
    ],
    [
      "an error reporter's",
      "registry.reporting.bugsnag.apikey",
      (secret) => `reporting: { bugsnag: { apikey: ${secret} } }`,
    ],
  ])("hides %s secret, in text and JSON, and still tells where it is", async (_, path, section) => {
    const secret = secretForTest();
    const text = `registry:\n  ${section(secret)}\n`;
    const shown = await values(text);
    expect(shown[path], JSON.stringify(Object.keys(shown))).toMatchObject({
      value: expect.stringContaining("[redacted]"),
      origin: "regctl.yaml",
      line: 2,
    });
    expect(JSON.stringify(shown)).not.toContain(secret);
    const people = await config("show", text);
    expect(people.exitCode).toBe(0);
    expect(people.stdout).not.toContain(secret);
    expect(people.stdout).toContain("[redacted]");
  });

  it("hides the secret regctl made", async () => {
    const { directory } = await made();
    const { httpSecret } = JSON.parse(await readFile(join(directory, ".regctl/secrets.json"), "utf8")) as {
      httpSecret: string;
    };
    const { stdout } = await run(["config", "show", "-C", directory]);
    expect(stdout).toMatch(/^registry\.http\.secret +\[redacted\] +default$/m);
    expect(stdout).not.toContain(httpSecret);
  });
});

describe("config validate", () => {
  it("is quiet about a good one", async () => {
    const good = await config("validate", "port: 6000\n");
    expect(good).toEqual({ exitCode: 0, stderr: "", stdout: `${folder.path}/regctl.yaml is valid\n` });
    expect((await config("validate", "", "-q")).stdout).toBe("valid\n");
    expect(JSON.parse((await config("validate", "", "--json")).stdout)).toEqual({
      apiVersion: "regctl/v1",
      kind: "config-validate",
      data: { file: join(folder.path, "regctl.yaml"), valid: true },
    });
  });

  it("tells every problem at once, whatever its kind, with its line", async () => {
    const text = [
      "prt: 1",
      "port: x",
      "tls:",
      "san: [ok.test, 'a b']",
      "registry:",
      "  log: { levl: info }",
      "  redis: 3",
    ];
    const { exitCode, stdout, stderr } = await config("validate", `${text.join("\n")}\n`);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    for (const problem of [
      "prt (line 1): is not a key of regctl.yaml",
      "port (line 2): should be a port number",
      "tls (line 3): should be a map of keys",
      'san[1] (line 4): "a b" is not a host',
      "registry.log.levl (line 6): ",
      "registry.redis (line 7): should be a map of keys",
    ]) {
      expect(stderr).toContain(`\n  - ${problem}`);
    }
    expect(stderr.match(/\n {2}- /g)).toHaveLength(6);
    const { error } = JSON.parse((await config("validate", text.join("\n"), "--json")).stderr) as {
      error: { code: string; details: { issues: { path: string; line: number }[] } };
    };
    expect(error.code).toBe("config-invalid");
    expect(error.details.issues.map(({ line }) => line).sort()).toEqual([1, 2, 3, 4, 6, 7]);
  });

  it("does not make a mistake out of another one", async () => {
    const text = "bind: 0.0.0.0\ninsecure: yes please\ntls: { mode: none }\nauth: { mode: none }\n";
    const { stderr } = await config("validate", text);
    expect(stderr).toContain("insecure (line 2): should be true or false");
    expect(stderr.match(/\n {2}- /g)).toHaveLength(1);
  });

  it.each([
    ["a tab", "registry:\n\tlog: x\n", /line 2/],
    ["an open bracket", "san: [a\nport: 1\n", /line \d/],
    ["a key twice", "port: 1\nport: 2\n", /line 2/],
    ["a list", "- a\n", /map of keys/],
  ])("says where YAML is broken: %s", async (_, text, expected) => {
    const result = await config("validate", text);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(expected);
  });
});

describe("config schema", () => {
  const schema = async () => JSON.parse((await run(["config", "schema"])).stdout) as Record<string, unknown>;
  const problems = async (text: string) => schemaProblems(load(text), await schema());

  it("is a JSON Schema that says what it is", async () => {
    expect(await schema()).toMatchObject({
      $schema: expect.stringContaining("json-schema.org"),
      title: "regctl.yaml",
      type: "object",
      additionalProperties: false,
    });
  });

  it("accepts what init writes, and the examples in its comments", async () => {
    const { directory } = await made();
    const text = await readFile(join(directory, "regctl.yaml"), "utf8");
    expect(await problems(text)).toEqual([]);
    const uncommented = text.replace(
      /^ {2}# ( *(?:storage|maintenance|readonly|notifications|endpoints|-).*)$/gm,
      "  $1",
    );
    expect(uncommented).not.toBe(text);
    expect(load(uncommented)).toHaveProperty("registry.storage.maintenance.readonly.enabled", true);
    expect(await problems(uncommented)).toEqual([]);
    expect(await config("validate", uncommented)).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["an unknown key", "prt: 5000\n", "/prt"],
    ["a port that is none", "port: 70000\n", "/port"],
    ["a mode that is none", "tls: { mode: acme }\n", "/tls/mode"],
    ["a name that is none", "name: Not A Name\n", "/name"],
    ["a typing error deep in distribution's keys", "registry: { log: { levl: info } }\n", "/registry/log/levl"],
    ["a value distribution does not know", "registry: { log: { level: loud } }\n", "/registry/log/level"],
    ["a key of no version of distribution", "registry: { gc: { enabled: true } }\n", "/registry/gc"],
  ])("rejects %s", async (_, text, path) => {
    expect(await problems(text)).toContainEqual(expect.stringContaining(`${path}: `));
    expect(await config("validate", text)).toMatchObject({ exitCode: 2 });
  });
});
