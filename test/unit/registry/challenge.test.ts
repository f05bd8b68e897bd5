import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChallenges } from "../../../src/registry/challenge.ts";

const token = fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/);
const quotedValue = fc.string({ unit: fc.constantFrom(...'aZ09 ,="\\:/?&;é') });

describe("parseChallenges", () => {
  it("reads what distribution sends for basic and token authentication", () => {
    expect(parseChallenges('Basic realm="Registry Realm"')).toEqual([
      { scheme: "basic", parameters: { realm: "Registry Realm" } },
    ]);
    expect(
      parseChallenges(
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push repository:c:pull",error="invalid_token"',
      ),
    ).toEqual([
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.docker.io/token",
          service: "registry.docker.io",
          scope: "repository:a/b:pull,push repository:c:pull",
          error: "invalid_token",
        },
      },
    ]);
  });

  it("reads the example of RFC 9110 §11.6.1, several challenges in one header", () => {
    const header = 'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""';
    expect(parseChallenges(header)).toEqual([
      { scheme: "basic", parameters: { realm: "simple" } },
      { scheme: "newauth", parameters: { realm: "apps", type: "1", title: 'Login to "apps"' } },
    ]);
  });

  it("keeps the first of repeated parameters, and takes schemes without any", () => {
    expect(parseChallenges('Negotiate, Bearer realm="a", realm="b"')).toEqual([
      { scheme: "negotiate", parameters: {} },
      { scheme: "bearer", parameters: { realm: "a" } },
    ]);
  });

  it("reads back any challenges written with quoted strings", () => {
    const challenge = fc.record({
      scheme: token,
      parameters: fc.dictionary(token, quotedValue, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    });
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(({ scheme, parameters }) => {
            const quoted = Object.entries(parameters).map(([k, v]) => `${k}="${v.replace(/["\\]/g, "\\$&")}"`);
            return `${scheme} ${quoted.join(", ")}`;
          })
          .join(", ");
        expect(parseChallenges(header)).toEqual(challenges);
      }),
    );
  });

  it("neither throws nor hangs on anything", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(parseChallenges(text).every(({ scheme }) => scheme !== "")).toBe(true);
      }),
    );
    const started = performance.now();
    for (const text of ['"'.repeat(50_000), 'a="\\'.repeat(20_000), " ,".repeat(50_000)]) parseChallenges(`B ${text}`);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
