import { createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { type CertifiedKey, createAuthority } from "../../../src/pki/authority.ts";
import { issueLeaf } from "../../../src/pki/leaf.ts";
import { lintPair } from "../../../src/pki/lint.ts";
import { type Host, normalizeHosts, parseHost } from "../../../src/pki/san.ts";
import { newSerial } from "../../../src/pki/serial.ts";
import { Secret } from "../../../src/secret.ts";
import { intermediateExtensions, makeKey, makeRoot, openWorkshop } from "./openssl.ts";

const DAY_MS = 86_400_000;
const NAMES = [
  "registry.test",
  "*.registry.test",
  "my_alias",
  "bücher.test",
  "10.99.0.1",
  "2001:db8::1",
  "::ffff:192.0.2.7",
];
const workshop = openWorkshop();
const now = new Date(Math.floor(Date.now() / 1000) * 1000);
const hosts = normalizeHosts(NAMES);
let authority: CertifiedKey;
let leaf: CertifiedKey;

beforeAll(async () => {
  authority = await createAuthority({ deploymentName: "acme", now });
  leaf = await issueLeaf({ authority, hosts, now });
  workshop.write("ca.crt", authority.certificatePem);
  workshop.write("leaf.crt", leaf.certificatePem);
});
afterAll(() => workshop.remove());

describe("createAuthority", () => {
  it("has the profile every client accepts, as openssl prints it", () => {
    const text = workshop.openssl("x509", "-in", "ca.crt", "-noout", "-text");
    expect(text).toContain("Version: 3 (0x2)");
    expect(text).toContain("Signature Algorithm: sha256WithRSAEncryption");
    expect(text).toContain("Public-Key: (3072 bit)");
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:1\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    expect(text).toContain("X509v3 Subject Key Identifier");
    expect(text).not.toContain("Authority Key Identifier");
    expect(text).not.toContain("Extended Key Usage");
  });

  it("starts an hour ago, lasts ten years and has a name of its own", async () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(Date.parse(certificate.validFrom)).toBe(now.getTime() - 3_600_000);
    expect(Date.parse(certificate.validTo)).toBe(now.getTime() + 3650 * DAY_MS);
    expect(certificate.subject).toMatch(/^O=regctl\nCN=regctl acme CA \d{4}-\d\d [0-9a-f]{6}$/);
    const other = await createAuthority({ deploymentName: "acme", now, keyBits: 2048 });
    expect(new X509Certificate(other.certificatePem).subject).not.toBe(certificate.subject);
  });

  it("shortens a long deployment name to the 64 characters a common name may have", async () => {
    const long = await createAuthority({ deploymentName: "n".repeat(100), now, keyBits: 2048 });
    const [, name] = /CN=(.*)/.exec(new X509Certificate(long.certificatePem).subject) ?? [];
    expect(name).toHaveLength(64);
    expect(name).toMatch(/^regctl n+ CA \d{4}-\d\d [0-9a-f]{6}$/);
  });

  it("gives a PKCS#8 key that does not print and belongs to the certificate", () => {
    expect(`${authority.keyPem}`).toBe("[redacted]");
    expect(authority.keyPem.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(
      new X509Certificate(authority.certificatePem).checkPrivateKey(createPrivateKey(authority.keyPem.reveal())),
    ).toBe(true);
  });
});

describe("issueLeaf", () => {
  it("has the profile every client accepts, as openssl prints it", () => {
    const text = workshop.openssl("x509", "-in", "leaf.crt", "-noout", "-text");
    expect(text).toContain("Version: 3 (0x2)");
    expect(text).toContain("Signature Algorithm: sha256WithRSAEncryption");
    expect(text).toContain("Public-Key: (2048 bit)");
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    expect(text).toMatch(/X509v3 Extended Key Usage: ?\n\s+TLS Web Server Authentication\n/);
    expect(text).toContain(
      "DNS:registry.test, DNS:*.registry.test, DNS:my_alias, DNS:xn--bcher-kva.test, IP Address:10.99.0.1, " +
        "IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:FFFF:C000:207",
    );
    const authorityText = workshop.openssl("x509", "-in", "ca.crt", "-noout", "-text");
    const identifier = /Subject Key Identifier: ?\n\s+([0-9A-F:]+)/.exec(authorityText)?.[1];
    expect(identifier).toHaveLength(59);
    expect(/Authority Key Identifier: ?\n\s+(?:keyid:)?([0-9A-F:]+)/.exec(text)?.[1]).toBe(identifier);
    expect(text).not.toContain("DirName");
  });

  it("passes openssl's strict verification for every host, and no other", async () => {
    const options = ["-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.crt"];
    for (const { kind, value } of hosts) {
      const name = value.replace("*", "any");
      const flag = kind === "ip" ? "-verify_ip" : "-verify_hostname";
      expect(workshop.openssl("verify", ...options, flag, name, "leaf.crt")).toBe("leaf.crt: OK\n");
    }
    const other = await workshop.run("openssl", "verify", ...options, "-verify_hostname", "other.test", "leaf.crt");
    expect(other.output).toContain("hostname mismatch");
  });

  it("lasts 397 days, but never longer than its CA", async () => {
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(Date.parse(certificate.validFrom)).toBe(now.getTime() - 3_600_000);
    expect(Date.parse(certificate.validTo)).toBe(now.getTime() + 397 * DAY_MS);
    const lastYear = new Date(now.getTime() + 3600 * DAY_MS);
    const late = new X509Certificate((await issueLeaf({ authority, hosts, now: lastYear })).certificatePem);
    expect(late.validTo).toBe(new X509Certificate(authority.certificatePem).validTo);
  });

  it("writes dates after 2049 so that openssl reads them back", async () => {
    const later = new Date("2049-06-01T00:00:00Z");
    const far = await createAuthority({ deploymentName: "far", now: later, keyBits: 2048 });
    const { certificatePem } = await issueLeaf({ authority: far, hosts, now: later });
    workshop.write("far.crt", certificatePem);
    expect(workshop.openssl("x509", "-in", "far.crt", "-noout", "-enddate")).toBe(
      "notAfter=Jul  3 00:00:00 2050 GMT\n",
    );
  });

  it("has a new key and a new serial each time, LF line ends and a PKCS#8 key", async () => {
    const again = await issueLeaf({ authority, hosts, now });
    expect(again.keyPem.reveal()).not.toBe(leaf.keyPem.reveal());
    expect(new X509Certificate(again.certificatePem).serialNumber).not.toBe(
      new X509Certificate(leaf.certificatePem).serialNumber,
    );
    expect(leaf.certificatePem + leaf.keyPem.reveal() + authority.certificatePem).not.toContain("\r");
    expect(leaf.keyPem.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it("uses a short common name when the first host is too long for one", async () => {
    const long = parseHost(`${"a".repeat(60)}.registry.test`);
    const certificate = new X509Certificate((await issueLeaf({ authority, hosts: [long], now })).certificatePem);
    expect(certificate.subject).toBe("O=regctl\nCN=registry");
    expect(certificate.checkHost(long.value, { subject: "never" })).toBe(long.value);
  });

  it("covers every host parseHost accepts, whatever it is", async () => {
    const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9])?$/);
    const name = fc
      .tuple(fc.constantFrom("", "*."), fc.array(label, { minLength: 1, maxLength: 4 }))
      .map(([star, labels]) => star + labels.join("."));
    const texts = fc.sample(fc.oneof(name, fc.domain(), fc.ipV4(), fc.ipV6()), { numRuns: 400, seed: 20 });
    const accepted = texts.flatMap((text): Host[] => {
      try {
        return [parseHost(text)];
      } catch (error) {
        if (error instanceof RegctlError) return [];
        throw error;
      }
    });
    expect(accepted.length).toBeGreaterThan(200);
    const certificate = new X509Certificate((await issueLeaf({ authority, hosts: accepted, now })).certificatePem);
    for (const { kind, value } of accepted) {
      const single = value.replace("*", "any");
      const found = kind === "ip" ? certificate.checkIP(value) : certificate.checkHost(single, { subject: "never" });
      expect(found, value).toBeDefined();
    }
    workshop.write("many.crt", (await issueLeaf({ authority, hosts: accepted.slice(0, 25), now })).certificatePem);
    for (const { kind, value } of accepted.slice(0, 25)) {
      const flag = kind === "ip" ? "-checkip" : "-checkhost";
      expect(workshop.openssl("x509", "-in", "many.crt", "-noout", flag, value.replace("*", "any"))).toContain(
        "does match",
      );
    }
  });

  it("writes the common name as UTF8String, since PrintableString has no * and no _", async () => {
    const wildcard = await issueLeaf({ authority, hosts: normalizeHosts(["*.my-zone.test"]), now });
    workshop.write("wildcard.crt", wildcard.certificatePem);
    expect(workshop.openssl("asn1parse", "-in", "wildcard.crt")).toMatch(/UTF8STRING +:\*\.my-zone\.test/);
  });

  it("signs with an EC authority too, which openssl verifies strictly", async () => {
    makeRoot(workshop, "ec-root", "ec");
    const given = { certificatePem: workshop.text("ec-root.crt"), keyPem: new Secret(workshop.text("ec-root.key")) };
    const issued = await issueLeaf({ authority: given, hosts, now: new Date() });
    workshop.write("by-ec.crt", issued.certificatePem);
    expect(workshop.openssl("verify", "-x509_strict", "-CAfile", "ec-root.crt", "by-ec.crt")).toBe("by-ec.crt: OK\n");
    const text = workshop.openssl("x509", "-in", "by-ec.crt", "-noout", "-text");
    expect(text.match(/Signature Algorithm: ecdsa-with-SHA256/g)).toHaveLength(2);
    expect(lintPair(issued.certificatePem, given.certificatePem)).toEqual([]);
  });

  it("signs with an RSA authority made elsewhere, whatever characters its name has", async () => {
    makeKey(workshop, "utf8", "rsa");
    workshop.write(
      "utf8.cnf",
      `[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n${intermediateExtensions().slice(0, 3).join("\n")}\n`,
    );
    workshop.openssl(
      "req",
      "-x509",
      "-new",
      "-utf8",
      "-key",
      "utf8.key",
      "-subj",
      "/O=Société/OU=a/OU=b/CN=Zürich/emailAddress=a@b.test",
      "-config",
      "utf8.cnf",
      "-days",
      "900",
      "-out",
      "utf8.crt",
    );
    const given = { certificatePem: workshop.text("utf8.crt"), keyPem: new Secret(workshop.text("utf8.key")) };
    workshop.write("by-utf8.crt", (await issueLeaf({ authority: given, hosts, now: new Date() })).certificatePem);
    expect(workshop.openssl("verify", "-x509_strict", "-CAfile", "utf8.crt", "by-utf8.crt")).toBe("by-utf8.crt: OK\n");
  });
});

describe("an authority that cannot sign", () => {
  const refuses = async (given: CertifiedKey, why: RegExp, at = new Date()) => {
    const error = await issueLeaf({ authority: given, hosts, now: at }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RegctlError);
    expect((error as RegctlError).message).toMatch(why);
    expect((error as RegctlError).hint).toBeTruthy();
  };

  it("is refused with the reason", async () => {
    const { certificatePem, keyPem } = authority;
    makeKey(workshop, "other");
    workshop.openssl("pkcs8", "-topk8", "-in", "other.key", "-passout", "pass:x", "-out", "locked.key");
    makeRoot(workshop, "ed", "ed25519");
    makeRoot(workshop, "weak", "rsa1024");
    const expired = new Date(now.getTime() + 3651 * DAY_MS);
    await refuses({ certificatePem, keyPem: new Secret(workshop.text("other.key")) }, /does not belong to the CA/);
    await refuses({ certificatePem, keyPem: new Secret(workshop.text("locked.key")) }, /key is encrypted/);
    await refuses({ certificatePem, keyPem: new Secret("") }, /empty/);
    await refuses({ certificatePem, keyPem: new Secret(certificatePem) }, /certificate, not a private key/);
    await refuses({ certificatePem: "nothing", keyPem }, /no certificate/);
    await refuses(leaf, /is no CA/);
    await refuses({ certificatePem: workshop.text("ed.crt"), keyPem: new Secret(workshop.text("ed.key")) }, /ed25519/);
    await refuses(
      { certificatePem: workshop.text("weak.crt"), keyPem: new Secret(workshop.text("weak.key")) },
      /1024 bits/,
    );
    await refuses(authority, /expired on/, expired);
    await refuses(authority, /is valid from/, new Date("2001-01-01"));
  });

  it("and no host is refused as well", async () => {
    await expect(issueLeaf({ authority, hosts: [], now })).rejects.toMatchObject({ code: "input-invalid" });
  });
});

it("a serial is 16 octets, positive and without a leading zero", () => {
  const serials = Array.from({ length: 5000 }, newSerial);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  expect(new Set(serials).size).toBe(serials.length);
});
