/** Token authentication against Debian's registry, with a token server that issues what openssl's key signs. */
import { createHash, createSign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRegistryApi, type RegistryApi } from "../../src/registry/api.ts";
import { Secret } from "../../src/secret.ts";
import { type ConfiguredRegistry, configuredRegistry } from "../support/configured-registry.ts";
import { findings, look, notSeen } from "../support/doctor.ts";
import { mustRun } from "../support/run-program.ts";
import { gather, rejection, type ScriptedServer, scriptedServer, sendJson } from "../support/scripted-registry.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const SERVICE = "test registry";
const PASSWORDS: Readonly<Record<string, string>> = { root: "all of it", reader: "some of it" };

let folder: TemporaryDirectory;
let server: ScriptedServer;
let registry: ConfiguredRegistry;
/** Of the tokens issued next; distribution allows for 60 seconds of skew. */
let lifetimeSeconds = 300;

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** RS256 with `x5c`, which every version of distribution takes. */
function sign(claims: object, folderPath: string): string {
  const certificate = new X509Certificate(readFileSync(`${folderPath}/token.crt`)).raw.toString("base64");
  const text = `${base64({ typ: "JWT", alg: "RS256", x5c: [certificate] })}.${base64(claims)}`;
  const signature = createSign("RSA-SHA256")
    .update(text)
    .sign(readFileSync(`${folderPath}/token.key`), "base64url");
  return `${text}.${signature}`;
}

function userOf(authorization: string | undefined): string | undefined {
  const [name = "", password] = Buffer.from(authorization?.replace("Basic ", "") ?? "", "base64")
    .toString()
    .split(":");
  return password !== undefined && PASSWORDS[name] === password ? name : undefined;
}

beforeAll(async () => {
  folder = temporaryDirectory();
  const { path } = folder;
  const subject = ["-subj", "/CN=tokens", "-days", "30"];
  const files = ["-keyout", `${path}/token.key`, "-out", `${path}/token.crt`];
  await mustRun("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files]);
  server = await scriptedServer((request, response) => {
    const user = userOf(request.headers.authorization);
    if (user === undefined) return void response.writeHead(401).end("wrong password");
    const query = new URL(request.url, "http://token").searchParams;
    const access = query.getAll("scope").flatMap((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      const granted = actions.split(",").filter((action) => user === "root" || action === "pull");
      return granted.length === 0 ? [] : [{ type, name, actions: granted }];
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: "tests", sub: user, aud: query.get("service"), exp: now + lifetimeSeconds, access };
    sendJson(response, { token: sign(claims, path), expires_in: Math.max(60, lifetimeSeconds) });
  });
  const token = {
    realm: `${server.url}/token`,
    service: SERVICE,
    issuer: "tests",
    rootcertbundle: `${path}/token.crt`,
  };
  registry = await configuredRegistry({ auth: { token } });
});

afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function clientOf(username: string, password = PASSWORDS[username] ?? ""): RegistryApi & Disposable {
  const api = createRegistryApi({ url: registry.url, credentials: { username, password: new Secret(password) } });
  return { ...api, [Symbol.dispose]: () => api.close() };
}

async function push(api: RegistryApi, repository: string, tag: string): Promise<string> {
  const digest = await api.pushBlob(repository, Buffer.from("{}"));
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] }));
  return api.putManifest(repository, tag, bytes, "application/vnd.oci.image.manifest.v1+json");
}

const scopes = () => server.requests.flatMap(({ url }) => new URL(url, "http://token").searchParams.getAll("scope"));

describe("with tokens", () => {
  it("pushes, lists, reads and deletes, with one token for a scope however many requests share it", async () => {
    using root = clientOf("root");
    const digest = await push(root, "team/app", "1");
    await push(root, "team/app", "2");
    expect(await gather(root.catalog())).toEqual(["team/app"]);
    expect(await root.tags("team/app")).toEqual(["1", "2"]);
    const heads = await root.map(Array.from({ length: 50 }), () => root.headManifest("team/app", "1"));
    expect(new Set(heads.map((head) => head?.digest))).toEqual(new Set([digest]));
    expect(await root.deleteTag("team/app", "1")).toBe(true);
    expect(await root.tags("team/app")).toEqual(["2"]);
    const asked = scopes();
    expect(asked.sort()).toEqual([
      "registry:catalog:*",
      "repository:team/app:delete",
      "repository:team/app:pull",
      "repository:team/app:pull,push",
    ]);
  });

  it("gets another token when the registry takes the first for expired", async () => {
    using root = clientOf("root");
    lifetimeSeconds = -120;
    const error = await rejection(root.tags("team/app"));
    expect(error).toMatchObject({
      details: { reason: "unauthorized" },
      hint: `log in: \`docker login ${registry.host}\``,
    });
    lifetimeSeconds = 300;
    expect(await root.tags("team/app")).toEqual(["2"]);
  });

  it("leaves the tag alone when the user may not delete, and names who may not", async () => {
    using reader = clientOf("reader");
    using root = clientOf("root");
    const before = await root.headManifest("team/app", "2");
    const error = await rejection(reader.deleteTag("team/app", "2"));
    expect(error).toMatchObject({ message: expect.stringContaining("reader"), details: { reason: "denied" } });
    expect(await root.headManifest("team/app", "2")).toEqual(before);
  });

  it("reports a wrong password with the login that helps, and never shows it or a token", async () => {
    using stranger = clientOf("root", "hunter2");
    const error = (await rejection(stranger.tags("team/app"))) as Error;
    expect(error).toMatchObject({ hint: `log in: \`docker login ${registry.host}\`` });
    expect(error.message).not.toContain("hunter2");
    for (const { url } of server.requests) {
      for (const password of [...Object.values(PASSWORDS), "hunter2"]) {
        expect(decodeURIComponent(url)).not.toContain(password);
        expect(url).not.toContain(createHash("sha256").update(password).digest("hex"));
      }
    }
  });
});

describe("doctor", () => {
  it("pushes with a token as clients do, and has nothing to say", async () => {
    const report = await look(registry.url, { user: "root", password: PASSWORDS.root as string });
    expect(findings(report)).toEqual([]);
    expect(notSeen(report)).toEqual([]);
  });

  it("tells a wrong password, and a user who may not push", async () => {
    const wrong = await look(registry.url, { user: "root", password: "wrong" });
    expect(findings(wrong)).toEqual([expect.stringMatching(/^broken login-works: no token is issued to root/)]);
    const reader = await look(registry.url, { user: "reader", password: PASSWORDS.reader as string });
    expect(findings(reader)).toEqual([]);
    expect(notSeen(reader)).toEqual(["upload-begins"]);
  });
});
