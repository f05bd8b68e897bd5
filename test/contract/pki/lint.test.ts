import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lintPair } from "../../../src/pki/lint.ts";
import { leafExtensions, makeForgeLeaf, makeIssued, makeRoot, openWorkshop } from "./openssl.ts";

const workshop = openWorkshop();
afterAll(() => workshop.remove());

beforeAll(() => {
  makeRoot(workshop, "root", "rsa");
  makeRoot(workshop, "ec-root");
});

const without = (...names: string[]) =>
  leafExtensions("DNS:registry.test").filter((line) => !names.some((name) => line.startsWith(name)));
// OpenSSL adds one on its own unless told otherwise.
const withoutKeyId = () => [...without("authorityKeyIdentifier"), "authorityKeyIdentifier=none"];
const codes = (name: string, issuer = "root") =>
  lintPair(workshop.text(`${name}.crt`), workshop.text(`${issuer}.crt`)).map((finding) => finding.code);
const strict = (name: string, issuer = "root") =>
  workshop.run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", `${issuer}.crt`, `${name}.crt`);

describe("lintPair on a server certificate", () => {
  it("has nothing to say of a good one, RSA or EC", async () => {
    makeIssued(workshop, "good", "root", { kind: "rsa" });
    makeIssued(workshop, "good-ec", "ec-root");
    expect(codes("good")).toEqual([]);
    expect(codes("good-ec", "ec-root")).toEqual([]);
    expect((await strict("good")).code).toBe(0);
    expect((await strict("good-ec", "ec-root")).code).toBe(0);
  });

  it.each([
    ["no-extensions", { extensions: [] }, ["NO_SAN", "EKU_MISSING"], 0],
    ["no-san", { extensions: without("subjectAltName") }, ["NO_SAN"], 0],
    ["no-aki", { extensions: withoutKeyId() }, ["AKI_MISSING"], 2],
    ["no-eku", { extensions: without("extendedKeyUsage") }, ["EKU_MISSING"], 0],
    [
      "client-only",
      { extensions: [...without("extendedKeyUsage"), "extendedKeyUsage=clientAuth"] },
      ["EKU_NOT_SERVERAUTH"],
      2,
    ],
    ["ip-as-dns", { extensions: leafExtensions("DNS:registry.test,DNS:10.0.0.1") }, ["IP_AS_DNS"], 0],
    [
      "no-tls-usage",
      { extensions: [...without("keyUsage"), "keyUsage=critical,keyCertSign"] },
      ["KEY_USAGE", "KEY_USAGE_NOT_CA"],
      2,
    ],
    [
      "encipherment-only",
      { extensions: [...without("keyUsage"), "keyUsage=critical,keyEncipherment"] },
      ["KEY_USAGE_LEGACY"],
      0,
    ],
    [
      "is-ca",
      {
        extensions: [
          ...without("basicConstraints", "keyUsage"),
          "basicConstraints=critical,CA:TRUE",
          "keyUsage=digitalSignature,keyCertSign",
        ],
      },
      ["LEAF_IS_CA"],
      0,
    ],
    ["sha1", { digest: "sha1" }, ["WEAK_SIGNATURE"], undefined],
    ["small", { kind: "rsa1024" }, ["WEAK_KEY"], undefined],
    ["odd-curve", { kind: "secp256k1" }, ["KEY_TYPE"], undefined],
    ["edwards", { kind: "ed25519" }, ["KEY_TYPE"], undefined],
    ["long", { days: 900 }, ["LIFETIME_TOO_LONG"], 0],
    ["outlives", { days: 5000 }, ["LIFETIME_TOO_LONG", "OUTLIVES_CA"], 0],
    ["negative", { serial: "-5" }, ["NEGATIVE_SERIAL"], undefined],
    ["zero", { serial: "0" }, ["SERIAL_FORM"], undefined],
    ["nameless", { subject: "/" }, ["SAN_NOT_CRITICAL"], 2],
  ])("%s", async (name, options, expected, exitCode) => {
    makeIssued(workshop, name, "root", options);
    expect(codes(name)).toEqual(expected);
    if (exitCode !== undefined) expect((await strict(name)).code).toBe(exitCode);
  });

  it("finds forge's own-key authority identifier, which OpenSSL refuses and Go accepts", async () => {
    makeForgeLeaf(workshop, "forged", "root", { type: 2, value: "registry.test" });
    expect(codes("forged")).toEqual(["AKI_MISMATCH"]);
    expect((await workshop.run("openssl", "verify", "-CAfile", "root.crt", "forged.crt")).code).toBe(2);
  });

  it("finds that another CA signed it, of the same name too", () => {
    workshop.openssl("genpkey", "-algorithm", "RSA", "-out", "twin.key");
    workshop.openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      "twin.key",
      "-subj",
      "/O=test/CN=root",
      "-days",
      "100",
      "-config",
      "root.cnf",
      "-out",
      "twin.crt",
    );
    expect(codes("good", "ec-root")).toEqual(["NOT_ISSUED"]);
    expect(codes("good", "twin")).toEqual(["NOT_ISSUED"]);
  });
});

describe("lintPair on the CA", () => {
  it.each([
    ["no-usage", ["basicConstraints=critical,CA:TRUE", "subjectKeyIdentifier=hash"], ["CA_KEY_USAGE_MISSING"], 2],
    [
      "no-signing",
      ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign", "subjectKeyIdentifier=hash"],
      ["CA_KEY_USAGE"],
      2,
    ],
    [
      "not-critical",
      ["basicConstraints=CA:TRUE", "keyUsage=critical,keyCertSign", "subjectKeyIdentifier=hash"],
      ["CA_CONSTRAINTS_NOT_CRITICAL"],
      2,
    ],
    ["no-constraints", ["keyUsage=critical,keyCertSign", "subjectKeyIdentifier=hash"], ["CA_NOT_CA"], 2],
    [
      "no-ski",
      ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign", "subjectKeyIdentifier=none"],
      ["CA_SKI_MISSING", "AKI_MISSING"],
      2,
    ],
  ])("%s", async (name, extensions, expected, exitCode) => {
    makeRoot(workshop, name, "ec", extensions);
    const leaf = name === "no-ski" ? withoutKeyId() : leafExtensions("DNS:registry.test");
    makeIssued(workshop, `under-${name}`, name, { extensions: leaf });
    expect(codes(`under-${name}`, name).sort()).toEqual([...expected].sort());
    expect((await strict(`under-${name}`, name)).code).toBe(exitCode);
  });

  it("does not mind a root's signature on itself", () => {
    workshop.openssl(
      "req",
      "-x509",
      "-new",
      "-sha1",
      "-key",
      "root.key",
      "-subj",
      "/O=test/CN=root",
      "-days",
      "3650",
      "-config",
      "root.cnf",
      "-out",
      "root-sha1.crt",
    );
    expect(codes("good", "root-sha1")).toEqual([]);
  });
});

it("reads certificates as text or as Node gives them", () => {
  expect(
    lintPair(new X509Certificate(workshop.text("good.crt")), new X509Certificate(workshop.text("root.crt"))),
  ).toEqual([]);
  expect(() => lintPair("no certificate")).toThrow(expect.objectContaining({ code: "input-invalid" }));
});
