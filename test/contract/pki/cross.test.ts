import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CertifiedKey, createAuthority } from "../../../src/pki/authority.ts";
import { issueClient, issuerListBytes } from "../../../src/pki/client.ts";
import { crossSign, standsFor } from "../../../src/pki/cross.ts";
import { issueLeaf } from "../../../src/pki/leaf.ts";
import { normalizeHosts } from "../../../src/pki/san.ts";
import { Secret } from "../../../src/secret.ts";
import { openWorkshop } from "./openssl.ts";

const DAY_MS = 86_400_000;
/** An hour ahead: what openssl makes meanwhile is valid by then, and ours an hour before. */
const NOW = new Date(Date.now() + 3_600_000);
const workshop = openWorkshop();
afterAll(() => workshop.remove());

/** An authority that openssl made, of any key and with any constraint. */
async function foreign(name: string, key: readonly string[], constraint: string): Promise<CertifiedKey> {
  const subject = ["-subj", `/O=Örg \\/ Söhne/CN=${name}`, "-utf8"];
  const extensions = ["-addext", `basicConstraints=critical,${constraint}`, "-addext", "keyUsage=critical,keyCertSign"];
  const out = ["-keyout", `${name}.key`, "-out", `${name}.crt`, "-days", "400"];
  expect(
    await workshop.run("openssl", "req", "-x509", "-nodes", "-newkey", ...key, ...subject, ...extensions, ...out),
  ).toMatchObject({ code: 0 });
  return { certificatePem: workshop.text(`${name}.crt`), keyPem: new Secret(workshop.text(`${name}.key`)) };
}

const EC = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

describe("a cross certificate", () => {
  let successor: CertifiedKey;
  let leaf: string;
  beforeAll(async () => {
    successor = await createAuthority({ deploymentName: "next", now: NOW, keyBits: 2048 });
    const hosts = normalizeHosts(["registry.test"]);
    leaf = (await issueLeaf({ authority: successor, hosts, now: NOW })).certificatePem;
    workshop.write("leaf.crt", leaf);
    workshop.write("new.crt", successor.certificatePem);
  });

  it.each<[string, () => Promise<CertifiedKey>]>([
    ["regctl's own", () => createAuthority({ deploymentName: "old", now: NOW, keyBits: 2048 })],
    ["an EC one", () => foreign("ec", EC, "CA:TRUE")],
    ["an RSA one with room", () => foreign("rsa", ["rsa:2048"], "CA:TRUE,pathlen:1")],
  ])("of %s lets OpenSSL's strictest check pass with either authority alone", async (_, make) => {
    const old = await make();
    const cross = await crossSign(old, successor.certificatePem, NOW);
    expect(standsFor(cross, successor.certificatePem)).toBe(true);
    expect(standsFor(cross, old.certificatePem)).toBe(false);
    const ends = [old, successor].map(({ certificatePem }) => Date.parse(new X509Certificate(certificatePem).validTo));
    expect(Date.parse(new X509Certificate(cross).validTo)).toBe(Math.min(...ends));
    workshop.write("cross.crt", cross);
    workshop.write("old.crt", old.certificatePem);
    for (const authority of ["old.crt", "new.crt"]) {
      const strict = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "registry.test"];
      const args = ["verify", ...strict, "-CAfile", authority, "-untrusted", "cross.crt", "leaf.crt"];
      expect((await workshop.run("openssl", ...args)).output, authority).toContain("leaf.crt: OK");
    }
  });

  it("cannot be made by an authority without room, with another key, or that has ended", async () => {
    const narrow = await foreign("narrow", ["rsa:2048"], "CA:TRUE,pathlen:0");
    await expect(crossSign(narrow, successor.certificatePem, NOW)).rejects.toThrow("leaves no room");
    const mixed = { ...narrow, keyPem: successor.keyPem };
    await expect(crossSign(mixed, successor.certificatePem, NOW)).rejects.toThrow("does not belong to the CA");
    const later = new Date(NOW.getTime() + 500 * DAY_MS);
    await expect(crossSign(narrow, successor.certificatePem, later)).rejects.toThrow("expired");
  });
});

describe("a client certificate", () => {
  it("is for clients alone, of an authority like no other, with a short name", async () => {
    const [one, other] = [
      await issueClient({ name: "x".repeat(64), now: NOW, lifetimeDays: 90 }),
      await issueClient({ name: "ci", now: NOW, lifetimeDays: 90 }),
    ];
    workshop.write("client.crt", one.certificatePem);
    workshop.write("authority.crt", one.authorityPem);
    workshop.write("other.crt", other.authorityPem);
    const verify = async (purpose: string, authority: string): Promise<string> =>
      (await workshop.run("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", authority, "client.crt"))
        .output;
    expect(await verify("sslclient", "authority.crt")).toContain("client.crt: OK");
    expect(await verify("sslserver", "authority.crt")).toMatch(
      /unsupported certificate purpose|unsuitable certificate purpose/,
    );
    expect(await verify("sslclient", "other.crt")).toContain("unable to get local issuer certificate");
    expect(new X509Certificate(one.authorityPem).subject).not.toBe(new X509Certificate(other.authorityPem).subject);
    expect(issuerListBytes(one.authorityPem)).toBeLessThan(64);
    expect(new X509Certificate(one.certificatePem).subject).toContain(`CN=${"x".repeat(64)}`);
  });
});
