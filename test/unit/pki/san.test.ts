import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { normalizeHosts, parseHost } from "../../../src/pki/san.ts";
import { runs } from "../../support/property-runs.ts";

describe("parseHost", () => {
  it.each([
    ["registry.example.com", "dns", "registry.example.com"],
    ["Registry.Example.COM.", "dns", "registry.example.com"],
    ["localhost", "dns", "localhost"],
    ["my_registry", "dns", "my_registry"],
    ["bücher.de", "dns", "xn--bcher-kva.de"],
    ["XN--BCHER-KVA.de", "dns", "xn--bcher-kva.de"],
    ["例え。jp", "dns", "xn--r8jz45g.jp"],
    ["*.example.com", "dns", "*.example.com"],
    ["*.bücher.de", "dns", "*.xn--bcher-kva.de"],
    ["10.0.0.1", "ip", "10.0.0.1"],
    ["2001:DB8:0:0::1", "ip", "2001:db8::1"],
    ["::ffff:192.0.2.1", "ip", "::ffff:c000:201"],
    ["::", "ip", "::"],
    [`${"a".repeat(63)}.test`, "dns", `${"a".repeat(63)}.test`],
  ])("reads %s as %s %s", (text, kind, value) => {
    expect(parseHost(text)).toEqual({ kind, value });
  });

  it.each([
    ["", "empty"],
    ["registry.test:5000", "port"],
    ["10.0.0.1:5000", "port"],
    ["registry.test:", "port"],
    ["https://registry.test/", "URL"],
    ["registry.test/team", "URL"],
    ["a b", "space"],
    [" registry.test", "space"],
    ["a\tb", "space"],
    ["999.1.1.1", "IPv4"],
    ["1.2.3", "IPv4"],
    ["1.2.3.04", "IPv4"],
    ["0x7f.1", "IPv4"],
    ["１.２.３.４", "IPv4"],
    ["fe80::1%eth0", "zone"],
    ["[::1]", "brackets"],
    ["[::1]:5000", "brackets"],
    ["-a.test", "label"],
    ["a-.test", "label"],
    ["a..test", "not a host name"],
    [".test", "not a host name"],
    ["a..", "not a host name"],
    ["user@host", "not a host name"],
    ["xn--a", "not a host name"],
    ["*", "wildcard"],
    ["*.com", "wildcard"],
    ["a.*.com", "wildcard"],
    ["*.*.com", "wildcard"],
    ["re*.example.com", "wildcard"],
    ["*.my_zone.test", "wildcard"],
    ["*.10.0.0.1", "IPv4"],
    [`${"a".repeat(64)}.test`, "63"],
    [Array(64).fill("abc").join("."), "253"],
  ])("refuses %j and says why", (text, why) => {
    const error = failureOf(() => parseHost(text));
    expect(error.code).toBe("input-invalid");
    expect(error.message).toContain(why);
    expect(error.hint).toBeTruthy();
  });

  it("tells the host inside a URL or before a port", () => {
    expect(failureOf(() => parseHost("https://me@registry.test:5000/v2/")).hint).toContain("registry.test");
    expect(failureOf(() => parseHost("registry.test:5000")).hint).toContain(": registry.test;");
  });

  it("gives a value it reads back unchanged, or a RegctlError, for any text", () => {
    const hostLike = fc.array(fc.constantFrom(..."abz019-_.*:%[]/ ", "xn--", "ü", "。", "\u00ad", "0x", "::"), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.domain(),
          fc.ipV4(),
          fc.ipV6(),
          hostLike.map((parts) => parts.join("")),
        ),
        (text) => {
          const host = hostOrError(text);
          if (host instanceof RegctlError) return host.code === "input-invalid";
          expect(parseHost(host.value)).toEqual(host);
          return /^[\x21-\x7e]{1,253}$/.test(host.value);
        },
      ),
      { numRuns: runs(3000) },
    );
  });
});

describe("normalizeHosts", () => {
  it("keeps each once, names before addresses, otherwise as written", () => {
    const hosts = normalizeHosts(["10.0.0.1", "b.test", "::1", "B.test.", "a.test", "0:0:0:0:0:0:0:1"]);
    expect(hosts.map((host) => host.value)).toEqual(["b.test", "a.test", "10.0.0.1", "::1"]);
  });

  it("lists every bad host at once", () => {
    const error = failureOf(() => normalizeHosts(["ok.test", "bad host", "999.1.1.1"]));
    expect(error.issues.map((issue) => issue.path)).toEqual(["bad host", "999.1.1.1"]);
    expect(error.message).toContain("2 host names");
  });
});

function hostOrError(text: string): ReturnType<typeof parseHost> | RegctlError {
  try {
    return parseHost(text);
  } catch (error) {
    if (error instanceof RegctlError) return error;
    throw error;
  }
}

function failureOf(action: () => unknown): RegctlError {
  try {
    action();
  } catch (error) {
    if (error instanceof RegctlError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
