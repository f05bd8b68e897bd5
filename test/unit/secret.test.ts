import { format, inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/secret.ts";

const TEXT = "correct horse";
const secret = new Secret(TEXT);

describe("a secret", () => {
  it("is revealed on request alone", () => {
    expect(secret.reveal()).toBe(TEXT);
  });

  it.each<[string, () => string]>([
    ["a template", () => `${secret}`],
    ["concatenation", () => `a${String(secret)}`],
    ["String", () => String(secret)],
    ["JSON", () => JSON.stringify({ secret, list: [secret] })],
    ["inspect", () => inspect({ secret, deep: { list: [secret] } }, { depth: null, showHidden: true })],
    ["format", () => format("%s %o %O %j", secret, secret, secret, secret)],
    ["the message of an error", () => new Error(`no: ${secret}`).message],
    ["a copy of its properties", () => JSON.stringify({ ...secret })],
    ["its properties", () => Reflect.ownKeys(secret).map(String).join()],
    ["a structured clone", () => inspect(structuredClone(secret))],
    ["Object.entries", () => inspect(Object.entries(secret))],
  ])("does not show in %s", (_, print) => {
    expect(print()).not.toContain(TEXT);
  });

  it("says that something was left out", () => {
    expect(`${secret}`).toBe("[redacted]");
    expect(JSON.stringify(secret)).toBe('"[redacted]"');
    expect(inspect(secret)).toBe("[redacted]");
  });
});
