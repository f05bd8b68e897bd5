import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { certificateHosts, registryUrl } from "../../../src/config/config.ts";
import { setConfigValue, setSectionValue } from "../../../src/config/edit.ts";
import { parseConfig } from "../../../src/config/parse.ts";

const parse = (text: string) => parseConfig({ text, directory: "/srv/acme", defaultUser: { uid: 7, gid: 8 } });

function accepted(text: string) {
  const result = parse(text);
  if (result.config === undefined) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

/** `path (line): message` of every issue. */
function issues(text: string): string[] {
  return parse(text).issues.map((issue) => `${issue.path} (${issue.line ?? "-"}): ${issue.message}`);
}

describe("defaults", () => {
  it("needs nothing at all", () => {
    expect(accepted("")).toEqual({
      name: "acme",
      domain: "localhost",
      san: [],
      bind: "0.0.0.0",
      port: 5000,
      image: "registry:2",
      major: 2,
      data: "/srv/acme/data",
      user: { uid: 7, gid: 8 },
      tls: { mode: "own-ca", lifetimeDays: 397, clientAuth: "off", clientAuthorities: [] },
      auth: { mode: "htpasswd", realm: "acme", bcryptCost: 10 },
      insecure: false,
      retention: { protect: [], protectInUse: true, rules: [] },
      registry: {},
    });
  });

  it.each(["tls: { mode: none }", "auth: { mode: none }"])("publishes on loopback only with %s", (text) => {
    expect(accepted(text).bind).toBe("127.0.0.1");
    expect(accepted(`${text}\ninsecure: true`).bind).toBe("0.0.0.0");
  });

  it("covers loopback beside localhost, and nothing but what was named otherwise", () => {
    expect(certificateHosts(accepted(""))).toEqual(["localhost", "127.0.0.1", "::1"]);
    expect(certificateHosts(accepted("domain: r.example.com\nsan: [10.0.0.1]"))).toEqual(["r.example.com", "10.0.0.1"]);
  });

  it("writes URLs as clients have to", () => {
    expect(registryUrl(accepted("domain: r.example.com\nport: 443"))).toBe("https://r.example.com");
    expect(registryUrl(accepted("domain: fd00::1"))).toBe("https://[fd00::1]:5000");
    expect(registryUrl(accepted("tls: { mode: none }"))).toBe("http://localhost:5000");
  });
});

describe("problems, all at once, with path and line", () => {
  it.each<[string, string[]]>([
    ["name: Acme!", ["name (1): should be lower-case letters, digits and inner dashes, at most 40"]],
    ["port: 0\nprot: 1", ["port (1): should be a port number, 1 to 65535", "prot (2): is not a key of regctl.yaml"]],
    ["tls:\n  mode: none\nbind: 0.0.0.0", ["tls.mode (2): none sends passwords and images readable over the network"]],
    [
      "auth: { mode: none }\nbind: 10.0.0.1",
      ["auth.mode (1): none lets everybody who reaches the port push and delete"],
    ],
    ["bind: example.com", ['bind (1): should be an IP address of this host, not "example.com"']],
    ['domain: "*.example.com"', ["domain (1): should be one name clients can use; a wildcard belongs under san"]],
    ["data: /proc/x", ["data (1): should be a folder on a disk, not /proc/x"]],
    ["data: /", ["data (1): should be a folder on a disk, not /"]],
    [
      "image: mine/registry:latest",
      ['image (1): its tag does not say which major version of distribution "mine/registry:latest" holds'],
    ],
    [
      "registry:\n  auth:\n    token: { realm: a, service: b, issuer: c, rootcertbundle: d }",
      ["registry.auth (2): names 2 kinds (htpasswd, token): the registry picks one at random at each start"],
    ],
    [
      "registry:\n  http:\n    tls:\n      key: /k",
      ["registry.http.tls.key (4): contradicts tls.mode: own-ca, which sets the certificate"],
    ],
    ["registry:\n  log:\n    levl: info", ["registry.log.levl (3): is not a key of distribution 2.x"]],
    ["a: 1\na: 2", [" (2): Map keys must be unique"]],
    ["a: [1", [" (1): Flow sequence in block collection must be sufficiently indented and end with a ]"]],
  ])("%j", (text, expected) => {
    expect(issues(text)).toEqual(expected);
  });

  it("takes the dialect of the image's major version", () => {
    expect(
      accepted("image: registry:3\nregistry:\n  tag: {}\n".replace("  tag: {}\n", "  redis: { addrs: [r:6379] }\n"))
        .major,
    ).toBe(3);
    expect(issues("image: registry:2\nregistry:\n  redis: { addrs: ['r:6379'] }")).toEqual([
      "registry.redis.addrs (3): is not a key of distribution 2.x",
    ]);
    expect(accepted("image: mine/registry:latest\ndistribution: 3").major).toBe(3);
  });

  it("refuses an alias bomb instead of expanding it", () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) =>
        `a${index}: &a${index} [${Array(9)
          .fill(index === 0 ? "x" : `*a${index - 1}`)
          .join(", ")}]`,
    );
    expect(parse(levels.join("\n")).config).toBeUndefined();
  });

  it("never throws, whatever it is given", () => {
    fc.assert(fc.property(fc.string(), (text) => (parse(text).config === undefined) === parse(text).issues.length > 0));
  });

  it("never throws on any YAML value under any known key", () => {
    const key = fc.constantFrom(
      "name",
      "domain",
      "san",
      "bind",
      "port",
      "image",
      "distribution",
      "data",
      "user",
      "tls",
      "auth",
      "insecure",
      "registry",
    );
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        (value) =>
          (parse(JSON.stringify(value)).config === undefined) === parse(JSON.stringify(value)).issues.length > 0,
      ),
    );
  });
});

describe("where values come from", () => {
  it("is known to the line", () => {
    const result = parse("# head\nport: 5001\nregistry:\n  log:\n    level: debug\n");
    expect(result.config === undefined ? [] : [...result.origins]).toEqual([
      ["port", { kind: "file", line: 2 }],
      ["registry.log.level", { kind: "file", line: 5 }],
    ]);
  });
});

describe("setConfigValue", () => {
  it("leaves every other byte alone", () => {
    const text = "# mine\nport: 5000   # the usual\nsan: []   # none\n\n# end\nimage: registry:2\n";
    expect(setConfigValue(text, "san", ["a.example.com"])).toBe(text.replace("[]", '["a.example.com"]'));
    expect(setConfigValue(text, "image", "registry:3")).toBe(text.replace("registry:2", '"registry:3"'));
    expect(setConfigValue("port: 1", "san", ["a"])).toBe('port: 1\nsan: ["a"]\n');
    expect(setConfigValue("san:\nport: 1\n", "san", ["a"])).toBe('san: ["a"]\nport: 1\n');
  });

  it.each([
    "san: [a, b] # c\n",
    "san:\n  - a\n  # in between\n  - b\nport: 1\n",
    "san:\n- a\nport: 1",
    "{san: [], port: 1}",
    "san: [\n  a,\n]\n",
    "san: null\nport: 1\n",
  ])("writes a list over any way to write one: %j", (text) => {
    const result = parse(setConfigValue(text, "san", ["x.example.com", "10.0.0.1"]));
    expect(result.config?.san).toEqual(["x.example.com", "10.0.0.1"]);
    expect(result.config?.port).toBe(text.includes("port: 1") ? 1 : 5000);
  });
});

describe("setSectionValue", () => {
  it("leaves every other byte alone", () => {
    const text = "# mine\ntls:\n  # whose\n  mode: own-ca   # ours\n  lifetimeDays: 90\nport: 1\n";
    expect(setSectionValue(text, "tls", "mode", "provided")).toBe(text.replace("own-ca", '"provided"'));
    expect(setSectionValue("port: 1", "tls", "mode", "none")).toBe('port: 1\ntls: {"mode":"none"}\n');
  });

  it.each([
    "tls: { mode: own-ca }\nport: 1\n",
    "tls: {lifetimeDays: 90}\nport: 1\n",
    "tls: {}\nport: 1\n",
    "tls:\nport: 1\n",
    "tls: # nothing yet\nport: 1\n",
    "tls: null\nport: 1\n",
    "tls:\n    lifetimeDays: 90\nport: 1\n",
    "tls:\n  # before\n  lifetimeDays: 90 # after\nport: 1\n",
    "tls:\n  mode:\nport: 1\n",
    "tls:\n  mode: 'own-ca'\nport: 1",
    "port: 1",
  ])("writes it into any way to write the section: %j", (text) => {
    const result = parse(setSectionValue(text, "tls", "mode", "provided"));
    expect(result.config?.tls).toMatchObject({ mode: "provided", lifetimeDays: text.includes("90") ? 90 : 397 });
    expect(result.config?.port).toBe(1);
  });
});
