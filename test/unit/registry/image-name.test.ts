import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { parseImageName } from "../../../src/registry/image-name.ts";
import { runs } from "../../support/property-runs.ts";

const HEX = "0123456789abcdef".repeat(4);
const DIGEST = `sha256:${HEX}`;

/** The grammar of the distribution specification, written out again. */
const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const tag = fc.stringMatching(/^\w[\w.-]{0,30}$/);
const digest = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });

describe("an image's name", () => {
  it("is taken apart into what it was put together from, with the registry's host or without", () => {
    const host = fc.constantFrom("", "localhost:5000/", "registry.example.com/", "[::1]:5000/");
    fc.assert(
      fc.property(
        host,
        repository,
        fc.option(tag, { nil: undefined }),
        fc.option(digest, { nil: undefined }),
        (prefix, name, givenTag, hex) => {
          const text = `${prefix}${name}${givenTag === undefined ? "" : `:${givenTag}`}${hex === undefined ? "" : `@sha256:${hex}`}`;
          expect(parseImageName(text, prefix === "" ? undefined : prefix.slice(0, -1))).toEqual({
            repository: name,
            ...(givenTag === undefined ? {} : { tag: givenTag }),
            ...(hex === undefined ? {} : { digest: `sha256:${hex}` }),
          });
        },
      ),
    );
  });

  it("keeps what only looks like the host", () => {
    expect(parseImageName("example/app", "example.com")).toEqual({ repository: "example/app" });
    expect(parseImageName("localhost/app:1", "localhost:5000")).toEqual({ repository: "localhost/app", tag: "1" });
  });

  it("takes other registered digests", () => {
    const sha512 = `sha512:${"a".repeat(128)}`;
    expect(parseImageName(`a@${sha512}`)).toEqual({ repository: "a", digest: sha512 });
  });

  it.each<[string, RegExp, RegExp]>([
    ["", /is no repository's name/, /team\/app/],
    ["../..", /has \.\. in it/, /team\/app/],
    ["a/../../etc", /has \.\. in it/, /team\/app/],
    ["/etc/passwd", /begins with a slash/, /team\/app/],
    ["a//b", /is no repository's name/, /team\/app/],
    ["a/", /is no repository's name/, /team\/app/],
    ["a/.", /is no repository's name/, /team\/app/],
    ["a/_manifests", /is no repository's name/, /team\/app/],
    ["_manifests", /is no repository's name/, /team\/app/],
    ["a b", /is no repository's name/, /team\/app/],
    ["a\0b", /is no repository's name/, /team\/app/],
    ["a\nb", /is no repository's name/, /team\/app/],
    ["é", /is no repository's name/, /team\/app/],
    ["-rf", /is no repository's name/, /team\/app/],
    ["team/App", /has upper-case letters/, /lower case: team\/app/],
    ["TEAM/APP:1", /has upper-case letters/, /lower case: team\/app/],
    ["a".repeat(300), /longer than the 255 characters/, /regctl repos/],
    ["registry.example.com:5000/app", /is no repository's name/, /without the registry's host/],
    ["a:", /does not end in a tag/, /up to 128/],
    ["a:.x", /does not end in a tag/, /up to 128/],
    ["a:b:c", /does not end in a tag/, /up to 128/],
    [`a:${"x".repeat(129)}`, /does not end in a tag/, /up to 128/],
    [`a:${DIGEST}`, /does not end in a tag/, /up to 128/],
    ["a@", /does not end in a digest/, /64 lower-case/],
    ["a@1.0", /does not end in a digest/, /64 lower-case/],
    [`a@${HEX}`, /does not end in a digest/, /64 lower-case/],
    [`a@${DIGEST.slice(0, -1)}`, /does not end in a digest/, /64 lower-case/],
    [`a@sha256:${HEX.toUpperCase()}`, /does not end in a digest/, /64 lower-case/],
    [`a@md5:${HEX}`, /does not end in a digest/, /64 lower-case/],
    [`a@${DIGEST}@${DIGEST}`, /does not end in a digest/, /64 lower-case/],
    [`a@../../${HEX}`, /does not end in a digest/, /64 lower-case/],
  ])("is refused with what is wrong: %j", (text, message, hint) => {
    expect(() => parseImageName(text)).toThrow(
      expect.objectContaining({
        code: "input-invalid",
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      }),
    );
  });

  it("that has a digest where a tag goes is told what it should be", () => {
    expect(() => parseImageName(`a:${HEX}`)).not.toThrow();
  });

  it("never leads out of the folder of repositories, and nothing else than its own error is thrown", () => {
    const hostile = fc
      .array(fc.constantFrom("..", ".", "/", "a", "_", ":", "@", "-", "A", " ", "\0", "%2e", "\\", DIGEST), {
        maxLength: 8,
      })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: "binary" })), (text) => {
        try {
          const { repository: name, tag: givenTag = "x" } = parseImageName(text);
          expect(name).toMatch(/^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/);
          expect(givenTag).toMatch(/^\w[\w.-]{0,127}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(RegctlError);
          // What was typed is shown, not repeated at any length.
          expect((error as RegctlError).message.length).toBeLessThan(2200);
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
