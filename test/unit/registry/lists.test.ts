import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs } from "../../support/property-runs.ts";
import { clientOf, gather, rejection, scriptedServer, sendError, sendJson } from "../../support/scripted-registry.ts";

const queryOf = (url: string) => new URL(url, "http://registry").searchParams;

/** Pages of a sorted list as distribution makes them, with any form of link that leads to the next. */
function page(names: readonly string[], url: string, link: (query: string) => string) {
  const query = queryOf(url);
  const count = Number(query.get("n") ?? 100);
  const from = names.findIndex((name) => name > (query.get("last") ?? ""));
  const repositories = from < 0 ? [] : names.slice(from, from + count);
  const last = repositories.at(-1) ?? "";
  const isLast = from < 0 || from + count >= names.length;
  const next: Record<string, string> = isLast
    ? {}
    : { link: `<${link(`last=${encodeURIComponent(last)}&n=${count}`)}>; rel="next"` };
  return { repositories, headers: next };
}

describe("catalog", () => {
  it("follows every page, whatever host or path the links name, on the registry it was asked from", async () => {
    const names = Array.from({ length: 2_500 }, (_, index) => `team/app-${String(index).padStart(5, "0")}`);
    await using other = await scriptedServer((_, response) => sendJson(response, { repositories: ["stolen"] }));
    for (const link of [
      (query: string) => `/v2/_catalog?${query}`,
      (query: string) => `/prefix/v2/_catalog?${query}`,
      (query: string) => `?${query}`,
      (query: string) => `${other.url}/v2/_catalog?${query}`,
    ]) {
      await using server = await scriptedServer((request, response) => {
        const { repositories, headers } = page(names, request.url, link);
        sendJson(response, { repositories }, headers);
      });
      using api = clientOf(server, { prefix: "/prefix" });
      expect(await gather(api.catalog())).toEqual(names);
      expect(server.requests.map(({ url }) => url.replace(/\?.*/, ""))).toEqual(Array(3).fill("/prefix/v2/_catalog"));
    }
    expect(other.requests).toEqual([]);
  });

  it("has each of any names once, for any length of pages", async () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,5}([._/-][a-z0-9]{1,5}){0,2}$/);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), async (some, most) => {
        const names = some.sort();
        await using server = await scriptedServer((request, response) => {
          const url = request.url.replace(/n=\d+/, `n=${most}`);
          const { repositories, headers } = page(names, url, (query) => `/v2/_catalog?${query}`);
          sendJson(response, { repositories }, headers);
        });
        using api = clientOf(server);
        expect(await gather(api.catalog())).toEqual(names);
      }),
      { numRuns: runs(25) },
    );
  });

  it("asks for less when the registry refuses long pages, down to its own choice", async () => {
    for (const [most, asked] of [
      [1000, ["1000"]],
      [500, ["1000", "100"]],
      [7, ["1000", "100", null]],
    ] as const) {
      await using server = await scriptedServer((request, response) => {
        const n = queryOf(request.url).get("n");
        if (n !== null && Number(n) > most) return sendError(response, 400, "PAGINATION_NUMBER_INVALID", "too many");
        sendJson(response, { repositories: ["a"] });
      });
      using api = clientOf(server);
      expect(await gather(api.catalog())).toEqual(["a"]);
      expect(server.requests.map(({ url }) => queryOf(url).get("n"))).toEqual(asked);
    }
  });

  it("gives up on another 400, and when even its own choice is refused", async () => {
    for (const [code, count] of [
      ["PAGINATION_NUMBER_INVALID", 3],
      ["NAME_INVALID", 1],
    ] as const) {
      await using server = await scriptedServer((_, response) => sendError(response, 400, code));
      using api = clientOf(server);
      expect(await rejection(gather(api.catalog()))).toMatchObject({ details: { status: 400, codes: [code] } });
      expect(server.requests).toHaveLength(count);
    }
  });

  it("notices pages that lead in a circle", async () => {
    await using server = await scriptedServer((request, response) => {
      const next = queryOf(request.url).get("last") === "b" ? "a" : "b";
      sendJson(response, { repositories: [next] }, { link: `</v2/_catalog?last=${next}&n=1000>; rel="next"` });
    });
    using api = clientOf(server);
    expect(await rejection(gather(api.catalog()))).toMatchObject({
      code: "registry-failed",
      message: expect.stringContaining("in a circle"),
      details: { reason: "protocol" },
    });
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    ["a name that climbs", { repositories: ["../../etc"] }],
    ["a name that rewrites the terminal", { repositories: ["a\u001b[2J\u009b31m"] }],
    ["something else than names", { repositories: [{ name: "a" }] }],
    ["no list", { repositories: "a" }],
    ["another document", { message: "welcome" }],
    ["null", null],
  ])("refuses %s", async (_, body) => {
    await using server = await scriptedServer((_, response) => sendJson(response, body));
    using api = clientOf(server);
    const error = (await rejection(gather(api.catalog()))) as Error;
    expect(error).toMatchObject({ code: "registry-failed", details: { reason: "protocol" } });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it("refuses a page that is no JSON, and one without end", async () => {
    await using html = await scriptedServer((_, response) => response.end("<html>It works!</html>"));
    using website = clientOf(html);
    expect(await rejection(gather(website.catalog()))).toMatchObject({
      details: { reason: "protocol" },
      hint: `see what answers there: \`curl -i ${html.url}/v2/\``,
    });
    await using endless = await scriptedServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(1 << 20)));
      };
      response.on("drain", more);
      more();
    });
    using flooded = clientOf(endless);
    expect(await rejection(gather(flooded.catalog()))).toMatchObject({ details: { reason: "too-large" } });
  });

  it("stops asking when nobody wants more", async () => {
    await using server = await scriptedServer((request, response) => {
      const last = Number(queryOf(request.url).get("last") ?? 0) + 1;
      sendJson(response, { repositories: [`r${last}`] }, { link: `</v2/_catalog?last=${last}>; rel="next"` });
    });
    using api = clientOf(server);
    for await (const name of api.catalog()) if (name === "r3") break;
    expect(server.requests).toHaveLength(3);
  });
});

describe("tags", () => {
  it("reads pages where there are any, sorts, and takes null for none", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.url.startsWith("/v2/empty/")) return sendJson(response, { name: "empty", tags: null });
      if (request.url.includes("last=")) return sendJson(response, { name: "team/app", tags: ["a", "b"] });
      sendJson(
        response,
        { name: "team/app", tags: ["c", "b"] },
        { link: '</v2/team/app/tags/list?last=c>; rel="next"' },
      );
    });
    using api = clientOf(server);
    expect(await api.tags("team/app")).toEqual(["a", "b", "c"]);
    expect(await api.tags("empty")).toEqual([]);
  });

  it("tells an unknown repository from an unknown address", async () => {
    await using server = await scriptedServer((request, response) => {
      if (request.url.startsWith("/v2/unknown/")) return sendError(response, 404, "NAME_UNKNOWN");
      response.writeHead(404).end("404 page not found\n");
    });
    using api = clientOf(server);
    expect(await api.tags("unknown")).toBeUndefined();
    expect(await rejection(api.tags("elsewhere"))).toMatchObject({
      code: "registry-failed",
      details: { reason: "protocol", status: 404 },
      hint: expect.stringContaining("curl"),
    });
  });

  it("asks for nothing when the name cannot be one", async () => {
    await using server = await scriptedServer((_, response) => sendJson(response, { tags: [] }));
    using api = clientOf(server);
    for (const name of ["../up", "/root", "Upper", "a//b", "a/../b", "", "a".repeat(300), "a?n=1", "a%2fb", "a\n"]) {
      expect(await rejection(api.tags(name))).toMatchObject({ code: "input-invalid", hint: expect.any(String) });
    }
    expect(server.requests).toEqual([]);
  });
});
