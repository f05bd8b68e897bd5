import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { mergeScopes } from "../../../src/registry/tokens.ts";
import { Secret } from "../../../src/secret.ts";
import {
  clientOf,
  gather,
  rejection,
  type Script,
  scriptedServer,
  sendError,
  sendJson,
} from "../../support/scripted-registry.ts";

const PASSWORD = "corr3ct-horse";
const BASIC = `Basic ${Buffer.from(`alice:${PASSWORD}`).toString("base64")}`;
const credentials = { username: "alice", password: new Secret(PASSWORD) };

/** Everything an error would show in a log or on a terminal. */
const shown = (error: unknown) => `${inspect(error, { depth: 10 })} ${JSON.stringify(error)}`;

function guarded(challenge: string, isAllowed: (authorization: string) => boolean): Script {
  return (request, response) => {
    if (isAllowed(request.headers.authorization ?? "")) return sendJson(response, { tags: ["1"], repositories: ["a"] });
    response.setHeader("www-authenticate", challenge);
    sendError(response, 401, "UNAUTHORIZED", "authentication required");
  };
}

describe("basic", () => {
  it("sends the password only once it is asked for, and from then on at once", async () => {
    await using server = await scriptedServer(guarded('Basic realm="x"', (given) => given === BASIC));
    using api = clientOf(server, { credentials });
    await api.tags("a");
    await api.tags("b");
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, BASIC, BASIC]);
  });

  it("is never sent to a registry that does not ask for it", async () => {
    await using server = await scriptedServer((_, response) => sendJson(response, { tags: [] }));
    using api = clientOf(server, { credentials });
    await api.tags("a");
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  it("ends with a hint after a second refusal, and without any guess when there is no password", async () => {
    await using server = await scriptedServer(guarded('Basic realm="x"', () => false));
    for (const [given, requests] of [
      [credentials, 2],
      [undefined, 1],
    ] as const) {
      server.requests.length = 0;
      using api = clientOf(server, { credentials: given });
      const error = await rejection(api.tags("a"));
      expect(error).toMatchObject({
        code: "registry-failed",
        hint: `log in: \`docker login ${server.host}\``,
        details: { registry: server.host, reason: "unauthorized", status: 401 },
      });
      expect(server.requests).toHaveLength(requests);
      expect(shown(error)).not.toContain(PASSWORD);
      expect(shown(error)).not.toContain(BASIC);
    }
  });

  it("says so when a user may not", async () => {
    await using server = await scriptedServer((_, response) => sendError(response, 403, "DENIED", "not yours"));
    using api = clientOf(server, { credentials });
    expect(await rejection(api.tags("a"))).toMatchObject({
      message: expect.stringContaining("does not allow alice to: not yours (DENIED)"),
      details: { reason: "denied" },
    });
  });

  it("reports a login it does not know", async () => {
    await using server = await scriptedServer(guarded("Negotiate", () => false));
    using api = clientOf(server, { credentials });
    expect(await rejection(api.tags("a"))).toMatchObject({ details: { reason: "protocol" } });
  });
});

/** A registry with a token server; tokens are `t1`, `t2`, … */
async function tokenRegistry(
  options: { readonly lifetime?: number; readonly answer?: unknown; readonly valid?: RegExp } = {},
) {
  const { lifetime, valid = /^Bearer t\d+$/ } = options;
  let issued = 0;
  const tokens = await scriptedServer((_, response) => {
    issued += 1;
    sendJson(response, options.answer ?? { token: `t${issued}`, expires_in: lifetime });
  });
  const challenge = `Bearer realm="${tokens.url}/token?x=1",service="the registry",scope="repository:a:pull"`;
  const server = await scriptedServer(guarded(challenge, (given) => valid.test(given)));
  return {
    tokens,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await tokens[Symbol.asyncDispose]();
    },
  };
}

describe("tokens", () => {
  it("are asked for with the password, the service and the scope, and used until they expire", async () => {
    await using registry = await tokenRegistry({ lifetime: 100 });
    let now = 0;
    using api = clientOf(registry.server, { credentials, now: () => now });
    await api.map(Array.from({ length: 20 }), () => api.tags("a"));
    const [request] = registry.tokens.requests;
    expect(registry.tokens.requests).toHaveLength(1);
    expect(request?.headers.authorization).toBe(BASIC);
    expect(Object.fromEntries(new URL(request?.url ?? "", "http://t").searchParams)).toEqual({
      x: "1",
      service: "the registry",
      scope: "repository:a:pull",
      account: "alice",
      client_id: "regctl",
    });
    now = 89_000;
    await api.tags("a");
    expect(registry.tokens.requests).toHaveLength(1);
    now = 91_000;
    await api.tags("a");
    expect(registry.tokens.requests).toHaveLength(2);
    expect(registry.server.requests.at(-1)?.headers.authorization).toBe("Bearer t2");
    expect(registry.server.requests.every(({ headers }) => headers.authorization !== BASIC)).toBe(true);
  });

  it("are one for each scope, without another refusal first", async () => {
    await using registry = await tokenRegistry();
    using api = clientOf(registry.server);
    await api.tags("a");
    const before = registry.server.requests.length;
    await api.tags("b/c");
    await gather(api.catalog());
    expect(registry.server.requests.length - before).toBe(2);
    expect(registry.tokens.requests.map(({ url }) => new URL(url, "http://t").searchParams.get("scope"))).toEqual([
      "repository:a:pull",
      "repository:b/c:pull",
      "registry:catalog:*",
    ]);
    expect(registry.tokens.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it("are replaced once when the registry refuses one, and no more than once", async () => {
    await using fickle = await tokenRegistry({ lifetime: 1_000, valid: /^Bearer t[2-9]$/ });
    using api = clientOf(fickle.server, { credentials });
    expect(await rejection(api.tags("a"))).toMatchObject({
      details: { reason: "unauthorized" },
      hint: `log in: \`docker login ${fickle.server.host}\``,
    });
    expect(fickle.server.requests).toHaveLength(2);
    expect(await api.tags("a")).toEqual(["1"]);
  });

  it("come in exchange for an identity token, which is sent in a body", async () => {
    await using registry = await tokenRegistry();
    const identity = { username: "", password: new Secret("identity-t0ken"), isIdentityToken: true };
    using api = clientOf(registry.server, { credentials: identity });
    await api.tags("a");
    const [request] = registry.tokens.requests;
    expect(request).toMatchObject({ method: "POST", url: "/token?x=1" });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: "refresh_token",
      refresh_token: "identity-t0ken",
      client_id: "regctl",
      service: "the registry",
      scope: "repository:a:pull",
    });
  });

  it.each([
    ["none", {}],
    ["one that breaks the header", { token: "a\r\nX-Evil: 1" }],
    ["one that is no text", { token: 12 }],
    ["no document", "oops"],
  ])("are not accepted when the server sends %s", async (_, answer) => {
    await using registry = await tokenRegistry({ answer });
    using api = clientOf(registry.server, { credentials });
    const error = await rejection(api.tags("a"));
    expect(error).toMatchObject({ message: expect.stringContaining("not a token"), details: { reason: "protocol" } });
    expect(shown(error)).not.toContain("Evil");
  });

  it("are refused with the registry's login, never with the server's words", async () => {
    await using tokens = await scriptedServer((_, response) => response.writeHead(401).end(`no such ${PASSWORD}`));
    await using server = await scriptedServer(guarded(`Bearer realm="${tokens.url}/token"`, () => false));
    using api = clientOf(server, { credentials });
    const error = await rejection(api.tags("a"));
    expect(error).toMatchObject({
      hint: `log in: \`docker login ${server.host}\``,
      details: { reason: "unauthorized" },
    });
    expect(shown(error)).not.toContain(PASSWORD);
  });

  it.each([
    "",
    "nonsense",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://user@127.0.0.1/",
    "http://:pass@127.0.0.1/",
  ])("are not asked for at %s", async (realm) => {
    await using server = await scriptedServer(guarded(`Bearer realm="${realm}"`, () => false));
    using api = clientOf(server, { credentials });
    expect(await rejection(api.tags("a"))).toMatchObject({ details: { reason: "protocol" } });
    expect(server.requests).toHaveLength(1);
  });

  it("are not followed elsewhere with the password", async () => {
    await using thief = await scriptedServer((_, response) => sendJson(response, { token: "t" }));
    await using tokens = await scriptedServer((_, response) =>
      response.writeHead(307, { location: `${thief.url}/?secret=1` }).end(),
    );
    await using server = await scriptedServer(guarded(`Bearer realm="${tokens.url}/token"`, () => false));
    using api = clientOf(server, { credentials });
    const error = await rejection(api.tags("a"));
    expect(error).toMatchObject({ details: { status: 307 } });
    expect(shown(error)).not.toContain("secret=1");
    expect(thief.requests).toEqual([]);
  });
});

describe("mergeScopes", () => {
  it.each([
    ["repository:a:pull,push", "repository:a:pull", "repository:a:pull,push"],
    ["repository:a:pull", "repository:a:pull,push", "repository:a:pull,push"],
    ["repository:a:pull", "repository:b/c:pull repository:a:delete", "repository:a:pull,delete repository:b/c:pull"],
    ["repository:h:5000/a:pull", "", "repository:h:5000/a:pull"],
    ["", "", ""],
  ])("%s and %s allow %s", (needed, asked, merged) => {
    expect(mergeScopes(needed, asked)).toBe(merged);
  });
});
