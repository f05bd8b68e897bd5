import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextPageQuery, parseLinks } from "../../../src/registry/link.ts";

describe("nextPageQuery", () => {
  it.each([
    ['</v2/_catalog?last=team%2Fapi&n=100>; rel="next"', "last=team%2Fapi&n=100"],
    ["</v2/_catalog?last=b&n=1>;rel=next", "last=b&n=1"],
    ['</behind/a/proxy/v2/_catalog?last=b&n=1>; rel="next"', "last=b&n=1"],
    ['<https://elsewhere.example/v2/_catalog?last=b&n=1>; rel="next"', "last=b&n=1"],
    ['<?last=b>; title="a, <b>; rel=prev"; rel="prev NEXT"', "last=b"],
    ['</first>; rel="first", </v2/_catalog?last=z>; rel="next"', "last=z"],
    ['</v2/_catalog?last=b>; rel="prev"', undefined],
    ["</v2/_catalog?last=b>", undefined],
    ["nothing of the kind", undefined],
    ["", undefined],
  ])("%s", (header, query) => {
    expect(nextPageQuery(header)).toBe(query);
  });

  it("throws on a target that is no address", () => {
    expect(() => nextPageQuery('<http://[>; rel="next"')).toThrow(TypeError);
  });
});

describe("parseLinks", () => {
  it("reads back any links", () => {
    const link = fc.record({
      target: fc.webUrl({ withQueryParameters: true }),
      relations: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 3 }),
      title: fc.string({ unit: fc.constantFrom(...'ab ,;<>="\\') }),
    });
    fc.assert(
      fc.property(fc.array(link, { maxLength: 4 }), (links) => {
        const header = links
          .map(
            (one) =>
              `<${one.target}>; title="${one.title.replace(/["\\]/g, "\\$&")}"; rel="${one.relations.join(" ")}"`,
          )
          .join(", ");
        expect(parseLinks(header)).toEqual(links.map(({ target, relations }) => ({ target, relations })));
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(Array.isArray(parseLinks(text))).toBe(true);
      }),
    );
  });
});
