import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PLACEHOLDER_ANNOTATION } from "../../../src/registry/delete-tag.ts";
import { eventually } from "../../support/eventually.ts";
import { clientOf, rejection, type Script, scriptedServer, sendError } from "../../support/scripted-registry.ts";

const sha256 = (data: string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const TYPE = "application/vnd.oci.image.manifest.v1+json";
const IMAGE = '{"schemaVersion":2,"config":{},"layers":[]}';

interface Store {
  readonly manifests: Map<string, string>;
  readonly tags: Map<string, string>;
}

/** As much of distribution 2.8 as deleting a tag needs: DELETE by digest takes every tag along, by tag it is refused. */
function registry28(): Store & { readonly script: Script } {
  const manifests = new Map([[sha256(IMAGE), IMAGE]]);
  const tags = new Map([
    ["1", sha256(IMAGE)],
    ["latest", sha256(IMAGE)],
  ]);
  const script: Script = ({ method, url, body }, response) => {
    const [, kind, reference = ""] = /^\/v2\/a\/(manifests|blobs)\/(.*)$/.exec(url) ?? [];
    if (kind === "blobs") return void response.writeHead(method === "HEAD" ? 200 : 500).end();
    const digest = reference.startsWith("sha256:") ? reference : tags.get(reference);
    if (method === "PUT") {
      manifests.set(sha256(body), body);
      tags.set(reference, sha256(body));
      return void response.writeHead(201).end();
    }
    if (method === "DELETE" && digest !== reference) return sendError(response, 400, "DIGEST_INVALID");
    const stored = digest === undefined ? undefined : manifests.get(digest);
    if (digest === undefined || stored === undefined) return sendError(response, 404, "MANIFEST_UNKNOWN");
    if (method === "DELETE") {
      manifests.delete(digest);
      for (const [tag, target] of tags) if (target === digest) tags.delete(tag);
      return void response.writeHead(202).end();
    }
    response.writeHead(200, { "content-type": TYPE, "docker-content-digest": digest, "content-length": stored.length });
    response.end(method === "HEAD" ? undefined : stored);
  };
  return { manifests, tags, script };
}

const isPlaceholderDeletion = (request: { method: string; url: string }, store: Store) =>
  request.method === "DELETE" &&
  store.manifests.get(request.url.split("/").at(-1) ?? "")?.includes(PLACEHOLDER_ANNOTATION);

describe("deleteTag on 2.8", () => {
  it("removes the tag alone and nothing else", async () => {
    const store = registry28();
    await using server = await scriptedServer(store.script);
    using api = clientOf(server);
    expect(await api.deleteTag("a", "1")).toBe(true);
    expect(store.tags).toEqual(new Map([["latest", sha256(IMAGE)]]));
    expect([...store.manifests.keys()]).toEqual([sha256(IMAGE)]);
    expect(await api.deleteTag("a", "1")).toBe(false);
  });

  it("makes a placeholder of its own for each tag: of the same one, deleting either would delete both", async () => {
    const store = registry28();
    await using server = await scriptedServer(store.script);
    using api = clientOf(server);
    await Promise.all([api.deleteTag("a", "1"), api.deleteTag("a", "latest")]);
    const placeholders = server.requests.filter(({ method }) => method === "PUT").map(({ body }) => sha256(body));
    expect(placeholders).toHaveLength(2);
    expect(new Set(placeholders).size).toBe(2);
    expect([...store.manifests.keys()]).toEqual([sha256(IMAGE)]);
  });

  it("puts the tag back when the placeholder cannot be deleted", async () => {
    const store = registry28();
    await using server = await scriptedServer((request, response, index) => {
      if (isPlaceholderDeletion(request, store)) return sendError(response, 403, "DENIED");
      store.script(request, response, index);
    });
    using api = clientOf(server);
    expect(await rejection(api.deleteTag("a", "1"))).toMatchObject({ details: { reason: "denied" } });
    expect(Object.fromEntries(store.tags)).toEqual({ "1": sha256(IMAGE), latest: sha256(IMAGE) });
  });

  it("takes a deletion for done whose answer was lost", async () => {
    const store = registry28();
    await using server = await scriptedServer((request, response, index) => {
      if (!isPlaceholderDeletion(request, store)) return store.script(request, response, index);
      store.manifests.delete(store.tags.get("1") ?? "");
      store.tags.delete("1");
      sendError(response, 403, "DENIED");
    });
    using api = clientOf(server);
    expect(await api.deleteTag("a", "1")).toBe(true);
    expect(Object.fromEntries(store.tags)).toEqual({ latest: sha256(IMAGE) });
  });

  it("leaves a tag alone that was pushed meanwhile", async () => {
    const store = registry28();
    const newer = IMAGE.replace("2", "2 ");
    await using server = await scriptedServer((request, response, index) => {
      if (!isPlaceholderDeletion(request, store)) return store.script(request, response, index);
      store.manifests.set(sha256(newer), newer);
      store.tags.set("1", sha256(newer));
      sendError(response, 403, "DENIED");
    });
    using api = clientOf(server);
    expect(await rejection(api.deleteTag("a", "1"))).toMatchObject({ details: { reason: "denied" } });
    expect(store.tags.get("1")).toBe(sha256(newer));
  });

  it("says where the tag was when it cannot be put back either", async () => {
    const store = registry28();
    await using server = await scriptedServer((request, response, index) => {
      const isRestoring = request.method === "PUT" && request.body === IMAGE;
      if (isPlaceholderDeletion(request, store) || isRestoring) return sendError(response, 403, "DENIED");
      store.script(request, response, index);
    });
    using api = clientOf(server);
    expect(await rejection(api.deleteTag("a", "1"))).toMatchObject({
      code: "registry-failed",
      message: expect.stringContaining("may be on a placeholder"),
      hint: expect.stringContaining(`docker://${server.host}/a@${sha256(IMAGE)} docker://${server.host}/a:1`),
      details: { repository: "a", tag: "1", digest: sha256(IMAGE) },
    });
  });

  it("is finished when it is interrupted half way", async () => {
    const store = registry28();
    const controller = new AbortController();
    await using server = await scriptedServer((request, response, index) => {
      if (request.method === "PUT") controller.abort();
      store.script(request, response, index);
    });
    using api = clientOf(server, { signal: controller.signal });
    expect(await api.deleteTag("a", "1")).toBe(true);
    await eventually(() => store.manifests.size === 1);
    expect(Object.fromEntries(store.tags)).toEqual({ latest: sha256(IMAGE) });
  });

  it.each([
    ["deletion is switched off", 405, "UNSUPPORTED"],
    ["the user may not delete", 403, "DENIED"],
  ])("touches nothing when %s", async (_, status, code) => {
    const store = registry28();
    await using server = await scriptedServer((request, response, index) => {
      if (request.method === "DELETE" && request.url.includes("sha256:")) return sendError(response, status, code);
      store.script(request, response, index);
    });
    using api = clientOf(server);
    expect(await rejection(api.deleteTag("a", "1"))).toMatchObject({ details: { status } });
    expect(server.requests.filter(({ method }) => method !== "DELETE")).toEqual([]);
  });
});

describe("deleteTag on 3.x", () => {
  it("is one request", async () => {
    await using server = await scriptedServer((_, response) => response.writeHead(202).end());
    using api = clientOf(server);
    expect(await api.deleteTag("a", "1")).toBe(true);
    expect(server.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["DELETE /v2/a/manifests/1"]);
  });

  it("is false for an unknown tag, refused for what is no tag", async () => {
    await using server = await scriptedServer((_, response) => sendError(response, 404, "MANIFEST_UNKNOWN"));
    using api = clientOf(server);
    expect(await api.deleteTag("a", "none")).toBe(false);
    for (const tag of ["", "..", ".a", "a/b", sha256("x"), "a".repeat(129), "a b"]) {
      expect(await rejection(api.deleteTag("a", tag))).toMatchObject({ code: "input-invalid" });
    }
    expect(server.requests).toHaveLength(1);
  });
});
