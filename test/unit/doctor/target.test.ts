import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientNames, parseTarget, targetName, targetUrl } from "../../../src/doctor/target.ts";
import { RegctlError } from "../../../src/errors.ts";

describe("parseTarget", () => {
  it.each<[string, string, string, object]>([
    ["registry.test", "https://registry.test", "registry.test", { port: 443 }],
    ["Registry.Test:443", "https://registry.test", "registry.test:443", { hasPort: true }],
    ["https://registry.test:5000/", "https://registry.test:5000", "registry.test:5000", { scheme: "https" }],
    ["https://registry.test:5000/v2/", "https://registry.test:5000", "registry.test:5000", {}],
    ["http://registry.test", "http://registry.test", "registry.test", { scheme: "http", port: 80 }],
    ["10.0.0.1:5000/a/b:1.4", "https://10.0.0.1:5000", "10.0.0.1:5000", { repository: "a/b", reference: "1.4" }],
    ["registry.test/app", "https://registry.test", "registry.test", { repository: "app", reference: "latest" }],
    ["r.test/app:1@sha256:ab", "https://r.test", "r.test", { repository: "app", reference: "sha256:ab" }],
    ["[2001:DB8::1]:5000", "https://[2001:db8::1]:5000", "[2001:db8::1]:5000", { host: "2001:db8::1" }],
    ["bücher.test", "https://xn--bcher-kva.test", "xn--bcher-kva.test", {}],
  ])("%s", (text, url, name, parts) => {
    const target = parseTarget(text);
    expect(targetUrl(target)).toBe(url);
    expect(targetName(target)).toBe(name);
    expect(target).toMatchObject(parts);
  });

  it.each([
    ["ftp://a", /neither https nor http/],
    ["https://", /has no host/],
    ["2001:db8::1", /write an IPv6 address as \[/],
    ["a:port", /port is not a number/],
    ["a:65536", /port is not a number/],
    ["me:pw@a", /carries a user/],
    ["a/Upper", /no image/],
    ["a/../etc", /no image/],
    ["a b", /./],
  ])("refuses %s", (text, why) => {
    expect(() => parseTarget(text)).toThrow(why);
  });

  it("takes anything, or refuses it with a hint", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        try {
          expect(URL.canParse(targetUrl(parseTarget(text)))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RegctlError);
          expect((error as RegctlError).hint).not.toBeUndefined();
        }
      }),
    );
  });

  it("reads back what it calls a registry", () => {
    const labels = fc.array(fc.stringMatching(/^[a-z]([a-z0-9-]{0,5}[a-z0-9])?$/), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(labels, fc.option(fc.integer({ min: 1, max: 65_535 })), (parts, port) => {
        const text = `${parts.join(".")}${port === null ? "" : `:${port}`}`;
        expect(targetName(parseTarget(text))).toBe(text);
        expect(clientNames(parseTarget(text))[0]).toBe(text);
      }),
    );
  });
});
