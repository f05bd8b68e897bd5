import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { configText, type InitAnswers } from "../../../src/operations/init-answers.ts";

const ANSWERS: InitAnswers = {
  ...{ directory: "/srv/acme", name: "acme", domain: "registry.test", san: ["a.test", "10.0.0.1"], bind: "0.0.0.0" },
  ...{
    port: 5000,
    image: "registry:2",
    distribution: undefined,
    tlsMode: "own-ca",
    provided: undefined,
    authMode: "htpasswd",
    firstUser: "ci",
  },
  ...{ password: undefined, data: "data", bcryptCost: 10, insecure: false, offline: false, start: true },
  mayInstallEngine: async () => false,
};

const written = async (change: Partial<InitAnswers>) =>
  load(await configText({ ...ANSWERS, ...change }, change.image ?? ANSWERS.image, { uid: 1, gid: 2 })) as object;

describe("the regctl.yaml init writes", () => {
  it("says what was answered, with a comment for each part", async () => {
    const text = await configText(ANSWERS, ANSWERS.image, { uid: 1, gid: 2 });
    expect(load(text)).toEqual({
      name: "acme",
      domain: "registry.test",
      san: ["a.test", "10.0.0.1"],
      port: 5000,
      bind: "0.0.0.0",
      image: "registry:2",
      data: "data",
      user: "1:2",
      tls: { mode: "own-ca" },
      auth: { mode: "htpasswd", bcryptCost: 10 },
      insecure: false,
      registry: { log: { level: "info" } },
    });
    expect(text).not.toContain("{{");
    expect(text.match(/^ *# \S/gm)?.length).toBeGreaterThan(10);
  });

  it.each<[string, Partial<InitAnswers>]>([
    ["names YAML 1.1 reads as something else", { name: "no", domain: "on" }],
    ["numbers that are text", { name: "0x1f", domain: "1e3" }],
    ["a name of digits", { name: "12" }],
    ["an IPv6 address", { domain: "2001:db8::1", bind: "::" }],
    ["a wildcard", { san: ["*.a.test"] }],
    ["a folder with blanks and signs", { data: "/mnt/a b: #c '\"\\{{x}}" }],
    ["a folder that looks like a key", { data: "a: b" }],
    ["a template of its own", { data: "{{name}}" }],
  ])("keeps %s", async (_, change) => {
    expect(await written(change)).toMatchObject(change);
  });

  it("keeps any text there is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (data) => {
        expect(await written({ data })).toMatchObject({ data });
      }),
    );
  });

  it("is read back as what was meant", async () => {
    const text = await configText(ANSWERS, "registry:3", { uid: 1, gid: 2 });
    const { config } = parseConfig({ text, directory: "/srv/acme", defaultUser: { uid: 9, gid: 9 } });
    expect(config).toMatchObject({ image: "registry:3", major: 3, data: "/srv/acme/data", user: { uid: 1, gid: 2 } });
  });
});
