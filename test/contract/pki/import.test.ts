import { createPrivateKey, X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { checkProvided, type ProvidedCertificate } from "../../../src/pki/import.ts";
import { splitPem } from "../../../src/pki/pem.ts";
import { normalizeHosts } from "../../../src/pki/san.ts";
import { Secret } from "../../../src/secret.ts";
import { intermediateExtensions, leafExtensions, makeIssued, makeKey, makeRoot, openWorkshop } from "./openssl.ts";

const DAY_MS = 86_400_000;
const workshop = openWorkshop();
const hosts = normalizeHosts(["registry.test"]);
const passphrase = new Secret("correct horse");

/** root -> sub -> leaf in RSA, ec-root -> ec-leaf in EC, and a stranger. */
beforeAll(() => {
  makeRoot(workshop, "root", "rsa");
  makeIssued(workshop, "sub", "root", { kind: "rsa", extensions: intermediateExtensions(), days: 1000 });
  makeIssued(workshop, "leaf", "sub", { kind: "rsa" });
  makeRoot(workshop, "ec-root");
  makeIssued(workshop, "ec-leaf", "ec-root");
  makeRoot(workshop, "stranger");
});
afterAll(() => workshop.remove());

const text = (...names: string[]) => names.map((name) => workshop.text(name)).join("");
const given = (more: Partial<ProvidedCertificate>): ProvidedCertificate => ({
  certificate: text("leaf.crt", "sub.crt", "root.crt"),
  key: text("leaf.key"),
  hosts,
  now: new Date(Date.now() + 60_000),
  ...more,
});
const fingerprints = (pem: string) => splitPem(pem).map((one) => new X509Certificate(one).fingerprint256);
const accepted = async (more: Partial<ProvidedCertificate>) => {
  const result = await checkProvided(given(more));
  return { ...result, codes: result.findings.map((finding) => finding.code) };
};
const refused = async (more: Partial<ProvidedCertificate>) => {
  const error = await checkProvided(given(more)).catch((thrown: unknown) => thrown);
  if (!(error instanceof RegctlError)) throw new Error("it was accepted");
  expect(error.code).toBe("input-invalid");
  expect(error.hint).toBeTruthy();
  return { error, codes: error.issues.map((issue) => issue.path) };
};

describe("a certificate that is accepted", () => {
  it("comes out as leaf and intermediates, the root apart, the key in PKCS#8", async () => {
    const { certificatePem, keyPem, authorityPem, codes } = await accepted({});
    expect(fingerprints(certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
    expect(fingerprints(authorityPem ?? "")).toEqual(fingerprints(text("root.crt")));
    expect(keyPem.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(createPrivateKey(keyPem.reveal()).equals(createPrivateKey(text("leaf.key")))).toBe(true);
    expect(codes).toEqual(["ROOT_DROPPED"]);
    workshop.write("out.crt", certificatePem);
    workshop.write("out-ca.crt", authorityPem ?? "");
    expect(
      workshop.openssl("verify", "-x509_strict", "-CAfile", "out-ca.crt", "-untrusted", "out.crt", "out.crt"),
    ).toBe("out.crt: OK\n");
  });

  it("may come in any order, twice, with CRLF, a byte order mark and noise", async () => {
    const bundle = text("root.crt", "sub.crt", "leaf.crt", "sub.crt").replaceAll("\n", "\r\n");
    const noise = `\uFEFFBag Attributes\r\n    localKeyID: 01 02\r\nsubject=CN = x\r\n${bundle}`;
    const { certificatePem, codes } = await accepted({
      certificate: Buffer.from(noise),
      key: Buffer.from(`\uFEFF${text("leaf.key").replaceAll("\n", "\r\n")}`),
    });
    expect(fingerprints(certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
    expect(certificatePem).not.toContain("\r");
    expect(codes).toEqual(["ORDER", "ROOT_DROPPED"]);
    const utf16 = Buffer.from(`\uFEFF${text("leaf.crt", "sub.crt", "root.crt")}`, "utf16le");
    expect((await accepted({ certificate: utf16 })).codes).toEqual(["ROOT_DROPPED"]);
  });

  it("may have its chain in another file, or its CA known from elsewhere", async () => {
    const apart = await accepted({ certificate: text("leaf.crt"), chain: text("sub.crt", "root.crt") });
    expect(fingerprints(apart.certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
    const known = await accepted({ certificate: text("leaf.crt", "sub.crt"), extraAuthorities: [text("root.crt")] });
    expect(fingerprints(known.authorityPem ?? "")).toEqual(fingerprints(text("root.crt")));
    expect(known.codes).toEqual([]);
  });

  it("is led to the newest of several certificates of one CA", async () => {
    const renew = (days: string, file: string) =>
      workshop.openssl(
        ...["req", "-x509", "-new", "-key", "ec-root.key", "-subj", "/O=test/CN=ec-root"],
        ...["-days", days, "-config", "ec-root.cnf", "-out", file],
      );
    renew("100", "ec-old.crt");
    renew("5000", "ec-renewed.crt");
    const { authorityPem, codes } = await accepted({
      certificate: text("ec-leaf.crt", "ec-old.crt", "ec-renewed.crt", "ec-root.crt"),
      key: text("ec-leaf.key"),
    });
    expect(fingerprints(authorityPem ?? "")).toEqual(fingerprints(text("ec-renewed.crt")));
    expect(codes).toEqual(["ROOT_DROPPED", "ROOT_DROPPED", "ROOT_DROPPED"]);
  });

  it("may be EC, its key SEC1 after EC PARAMETERS", async () => {
    workshop.openssl("ecparam", "-name", "prime256v1", "-out", "params.pem");
    workshop.openssl("ec", "-in", "ec-leaf.key", "-out", "sec1.key");
    expect(text("params.pem", "sec1.key")).toMatch(/EC PARAMETERS[\s\S]*BEGIN EC PRIVATE KEY/);
    const result = await accepted({
      certificate: text("ec-leaf.crt", "ec-root.crt"),
      key: text("params.pem", "sec1.key"),
    });
    expect(createPrivateKey(result.keyPem.reveal()).equals(createPrivateKey(text("ec-leaf.key")))).toBe(true);
    expect(fingerprints(result.certificatePem)).toEqual(fingerprints(text("ec-leaf.crt")));
  });

  it.each(["leaf", "ec-leaf"])("may be DER, key included (%s)", async (name) => {
    workshop.openssl("x509", "-in", `${name}.crt`, "-outform", "DER", "-out", `${name}.der`);
    workshop.openssl("pkcs8", "-topk8", "-nocrypt", "-in", `${name}.key`, "-outform", "DER", "-out", `${name}.key8`);
    workshop.openssl("pkey", "-traditional", "-in", `${name}.key`, "-outform", "DER", "-out", `${name}.key1`);
    for (const key of ["key8", "key1"]) {
      const result = await accepted({
        certificate: workshop.bytes(`${name}.der`),
        key: workshop.bytes(`${name}.${key}`),
        extraAuthorities: [text("sub.crt"), text("root.crt"), text("ec-root.crt")],
      });
      expect(fingerprints(result.certificatePem)[0]).toBe(fingerprints(text(`${name}.crt`))[0]);
    }
  });

  it("may be a TRUSTED CERTIFICATE", async () => {
    workshop.openssl("x509", "-in", "leaf.crt", "-trustout", "-addtrust", "serverAuth", "-out", "trusted.crt");
    const { certificatePem } = await accepted({ certificate: text("trusted.crt", "sub.crt", "root.crt") });
    expect(fingerprints(certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
  });

  it("may have its key in the same file", async () => {
    expect(
      (await accepted({ certificate: text("leaf.key", "leaf.crt", "sub.crt", "root.crt"), key: undefined })).codes,
    ).toEqual(["ROOT_DROPPED"]);
  });

  it("may have a locked key beside it when the key is given apart", async () => {
    workshop.openssl("pkcs8", "-topk8", "-in", "leaf.key", "-passout", "pass:x", "-out", "beside.key");
    const certificate = text("beside.key", "leaf.crt", "sub.crt", "root.crt");
    expect((await accepted({ certificate })).codes).toEqual(["ROOT_DROPPED"]);
    expect((await refused({ certificate, key: undefined })).codes).toEqual(["KEY_ENCRYPTED_NO_PASSPHRASE"]);
  });

  it.each(["leaf", "ec-leaf"])("may have an encrypted key, PKCS#8 or the old form, PEM or DER (%s)", async (name) => {
    const [certificate, phrase] = [text(`${name}.crt`), ["-passout", `pass:${passphrase.reveal()}`]];
    workshop.openssl("pkcs8", "-topk8", "-in", `${name}.key`, ...phrase, "-out", "p8.pem");
    workshop.openssl("pkcs8", "-topk8", "-in", `${name}.key`, ...phrase, "-outform", "DER", "-out", "p8.der");
    workshop.openssl("pkey", "-traditional", "-aes256", "-in", `${name}.key`, ...phrase, "-out", "old.pem");
    expect(text("old.pem")).toContain("Proc-Type: 4,ENCRYPTED");
    for (const file of ["p8.pem", "p8.der", "old.pem"]) {
      const more = {
        certificate,
        key: workshop.bytes(file),
        extraAuthorities: [text("sub.crt", "root.crt", "ec-root.crt")],
      };
      expect((await accepted({ ...more, passphrase })).keyPem.reveal()).toContain("BEGIN PRIVATE KEY");
      expect((await refused(more)).codes).toEqual(["KEY_ENCRYPTED_NO_PASSPHRASE"]);
      expect((await refused({ ...more, passphrase: new Secret("") })).codes).toEqual(["KEY_ENCRYPTED_NO_PASSPHRASE"]);
      expect((await refused({ ...more, passphrase: new Secret("wrong") })).codes).toEqual(["KEY_BAD_PASSPHRASE"]);
    }
  });

  it.each([
    ["leaf", []],
    ["leaf", ["-legacy"]],
    ["ec-leaf", []],
    ["ec-leaf", ["-legacy"]],
  ])("may be PKCS#12 (%s %s)", async (name, options) => {
    workshop.write("more.pem", text("sub.crt", "root.crt", "ec-root.crt"));
    const make = (phrase: string, file: string) =>
      workshop.openssl(
        "pkcs12",
        "-export",
        ...options,
        "-in",
        `${name}.crt`,
        "-inkey",
        `${name}.key`,
        "-certfile",
        "more.pem",
        "-passout",
        `pass:${phrase}`,
        "-out",
        file,
      );
    make(passphrase.reveal(), "store.p12");
    make("", "open.p12");
    const certificate = workshop.bytes("store.p12");
    const result = await accepted({ certificate, key: undefined, passphrase });
    expect(fingerprints(result.certificatePem)[0]).toBe(fingerprints(text(`${name}.crt`))[0]);
    expect(createPrivateKey(result.keyPem.reveal()).equals(createPrivateKey(text(`${name}.key`)))).toBe(true);
    expect((await accepted({ certificate, key: certificate, passphrase })).authorityPem).toBe(result.authorityPem);
    expect((await accepted({ certificate: workshop.bytes("open.p12"), key: undefined })).authorityPem).toBe(
      result.authorityPem,
    );
    expect((await refused({ certificate, key: undefined })).codes).toEqual(["KEY_ENCRYPTED_NO_PASSPHRASE"]);
    expect((await refused({ certificate, key: undefined, passphrase: new Secret("wrong") })).codes).toEqual([
      "KEY_BAD_PASSPHRASE",
    ]);
  });

  it("needs nothing from clients when a public CA issued it", async () => {
    const result = await accepted({ publicRoots: [text("stranger.crt"), text("root.crt")] });
    expect(result.authorityPem).toBeUndefined();
    expect(fingerprints(result.certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
    const rootless = await accepted({ certificate: text("leaf.crt", "sub.crt"), publicRoots: [text("root.crt")] });
    expect(rootless.authorityPem).toBeUndefined();
    expect(rootless.codes).toEqual([]);
  });

  it("may be self-signed with the host in it, CA or not, with a warning; openssl agrees", async () => {
    const kinds = {
      "self-ca": [],
      "self-leaf": ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=digitalSignature"],
    };
    for (const [name, options] of Object.entries(kinds)) {
      workshop.openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-subj",
        "/CN=registry.test",
        "-days",
        "300",
        "-addext",
        "subjectAltName=DNS:registry.test",
        ...options,
        "-out",
        `${name}.crt`,
      );
      const result = await accepted({ certificate: text(`${name}.crt`), key: text(`${name}.key`) });
      expect(result.codes).toContain("SELF_SIGNED");
      expect(result.authorityPem).toBe(result.certificatePem);
      workshop.write("self.crt", result.certificatePem);
      expect(workshop.openssl("verify", "-purpose", "sslserver", "-CAfile", "self.crt", "self.crt")).toBe(
        "self.crt: OK\n",
      );
    }
  });

  it("warns about what is left out, what is too long and what ends soon", async () => {
    expect((await accepted({ chain: text("stranger.crt") })).codes).toEqual(["ROOT_DROPPED", "UNRELATED_CERTS"]);
    makeIssued(workshop, "long", "ec-root", { days: 900 });
    expect((await accepted({ certificate: text("long.crt", "ec-root.crt"), key: text("long.key") })).codes).toContain(
      "LIFETIME_TOO_LONG",
    );
    expect((await accepted({ now: new Date(Date.now() + 70 * DAY_MS) })).codes).toContain("EXPIRES_SOON");
  });

  it("takes wildcards and addresses as clients do", async () => {
    makeIssued(workshop, "wild", "ec-root", {
      extensions: leafExtensions("DNS:*.wild.test,IP:10.0.0.1,IP:2001:db8::1"),
    });
    const wild = { certificate: text("wild.crt", "ec-root.crt"), key: text("wild.key") };
    const good = normalizeHosts(["a.wild.test", "*.wild.test", "10.0.0.1", "2001:DB8::1"]);
    expect((await accepted({ ...wild, hosts: good })).authorityPem).toBeDefined();
    const bad = normalizeHosts(["wild.test", "a.b.wild.test", "10.0.0.2", "*.b.wild.test"]);
    expect((await refused({ ...wild, hosts: bad })).codes).toEqual(bad.map(() => "SAN_MISSING_HOST"));
  });
});

describe("a certificate that is refused", () => {
  it("because of its key", async () => {
    expect((await refused({ key: text("ec-leaf.key") })).codes).toEqual(["KEY_MISMATCH"]);
    expect((await refused({ key: text("root.key") })).codes).toEqual(["KEY_BELONGS_TO_CA"]);
    expect((await refused({ certificate: text("root.crt"), key: text("root.key") })).codes).toEqual([
      "KEY_BELONGS_TO_CA",
    ]);
    expect((await refused({ key: undefined })).codes).toEqual(["KEY_MISSING"]);
    expect((await refused({ key: "" })).codes).toEqual(["KEY_EMPTY"]);
    expect((await refused({ key: text("leaf.crt") })).codes).toEqual(["KEY_UNREADABLE"]);
    expect((await refused({ key: text("leaf.key").replace(/\n.{20}/, "\n") })).codes).toEqual(["KEY_UNREADABLE"]);
    const ssh = await workshop.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${workshop.directory}/ssh`);
    if (ssh.code === 0) expect((await refused({ key: text("ssh") })).error.message).toContain("OpenSSH");
  });

  it("because its key is encrypted in a way OpenSSL 3 has given up", async () => {
    workshop.openssl(
      "pkcs8",
      "-topk8",
      "-v1",
      "PBE-MD5-DES",
      "-provider",
      "legacy",
      "-provider",
      "default",
      "-in",
      "leaf.key",
      "-passout",
      "pass:x",
      "-out",
      "ancient.key",
    );
    expect((await refused({ key: text("ancient.key"), passphrase: new Secret("x") })).codes).toEqual([
      "KEY_ENCRYPTION_UNSUPPORTED",
    ]);
  });

  it.each([
    ["empty", "", "CERTIFICATE_EMPTY"],
    ["text", "hello", "CERTIFICATE_UNREADABLE"],
    ["bytes", Buffer.from([1, 2, 3]), "CERTIFICATE_UNREADABLE"],
    ["damaged PEM", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "CERTIFICATE_UNREADABLE"],
  ])("because the file is no certificate: %s", async (_, certificate, code) => {
    expect((await refused({ certificate })).codes).toEqual([code]);
  });

  it("because the files are swapped", async () => {
    const { error, codes } = await refused({ certificate: text("leaf.key"), key: text("leaf.crt") });
    expect(codes).toEqual(["CERTIFICATE_UNREADABLE", "KEY_UNREADABLE"]);
    expect(error.issues[0]?.message).toContain("holds a private key");
  });

  it("because an intermediate or the private CA is missing, naming it and where it is published", async () => {
    const { error, codes } = await refused({ certificate: text("leaf.crt", "root.crt") });
    expect(codes).toEqual(["MISSING_INTERMEDIATE"]);
    expect(error.message).toContain("CN=sub");
    expect((await refused({ certificate: text("leaf.crt", "sub.crt") })).error.message).toContain("O=test, CN=root");
    makeIssued(workshop, "aia", "ec-root", {
      extensions: leafExtensions("DNS:registry.test", "authorityInfoAccess=caIssuers;URI:http://ca.test/sub.der"),
    });
    const named = await refused({ certificate: text("aia.crt"), key: text("aia.key") });
    expect(named.error.hint).toContain("http://ca.test/sub.der");
  });

  it("because of the date of any element", async () => {
    const tomorrow = (days: number) => new Date(Date.now() + days * DAY_MS);
    expect((await refused({ now: tomorrow(100) })).codes).toEqual(["EXPIRED"]);
    const beyondIntermediate = await refused({ now: tomorrow(1100) });
    expect(beyondIntermediate.codes).toEqual(["EXPIRED", "EXPIRED"]);
    expect(beyondIntermediate.error.issues[1]?.message).toContain("CN=sub");
    expect((await refused({ now: tomorrow(4000) })).codes).toHaveLength(3);
    expect((await refused({ now: tomorrow(-2) })).codes).toEqual(["NOT_YET_VALID", "NOT_YET_VALID", "NOT_YET_VALID"]);
  });

  it.each([
    ["common-name-only", { extensions: [] }, ["NO_SAN"]],
    ["name-in-common-name", { extensions: leafExtensions("IP:10.0.0.1") }, ["SAN_MISSING_HOST"]],
    ["other-host", { extensions: leafExtensions("DNS:other.test") }, ["SAN_MISSING_HOST"]],
    [
      "client-only",
      {
        extensions: [
          ...leafExtensions("DNS:registry.test").filter((line) => !line.startsWith("ext")),
          "extendedKeyUsage=clientAuth",
        ],
      },
      ["EKU_NOT_SERVERAUTH"],
    ],
    ["small", { kind: "rsa1024" }, ["WEAK_KEY"]],
    ["sha1", { digest: "sha1" }, ["WEAK_SIGNATURE"]],
    ["odd-curve", { kind: "secp256k1" }, ["KEY_TYPE"]],
    ["negative", { serial: "-1" }, ["NEGATIVE_SERIAL"]],
  ])("because of the certificate itself: %s", async (name, options, codes) => {
    makeIssued(workshop, name, "ec-root", { subject: "/CN=registry.test", ...options });
    expect(
      (await refused({ certificate: text(`${name}.crt`, "ec-root.crt"), key: text(`${name}.key`) })).codes,
    ).toEqual(codes);
  });

  it("because its issuer is no CA", async () => {
    makeIssued(workshop, "child", "ec-leaf");
    const { codes } = await refused({
      certificate: text("child.crt", "ec-leaf.crt", "ec-root.crt"),
      key: text("child.key"),
    });
    expect(codes).toContain("CA_NOT_CA");
  });

  it("with every problem at once, and no secret among them", async () => {
    makeIssued(workshop, "awful", "ec-root", { kind: "rsa1024", extensions: leafExtensions("DNS:other.test") });
    const { error, codes } = await refused({
      certificate: text("awful.crt"),
      key: text("stranger.key"),
      now: new Date(Date.now() + 200 * DAY_MS),
    });
    expect(codes.sort()).toEqual(["EXPIRED", "KEY_MISMATCH", "MISSING_INTERMEDIATE", "SAN_MISSING_HOST", "WEAK_KEY"]);
    expect(error.message).toContain("5 problems");
    expect(JSON.stringify([error.message, error.issues, error.details])).not.toContain("PRIVATE KEY");
  });
});

it("a bundle of every public root beside the leaf changes nothing but a short warning", async () => {
  const result = await accepted({ chain: rootCertificates.join("\n") });
  expect(fingerprints(result.certificatePem)).toEqual(fingerprints(text("leaf.crt", "sub.crt")));
  const warning = result.findings.find((finding) => finding.code === "UNRELATED_CERTS");
  expect(warning?.message).toMatch(/ and \d+ more$/);
});

it("any bytes are accepted or refused with an error a user can act on", async () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));
  const pem = fc
    .string({ maxLength: 80 })
    .map((body) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`);
  const cut = fc.nat(1500).map((length) => text("leaf.crt").slice(0, length));
  makeKey(workshop, "unused");
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(bytes, pem, cut),
      fc.oneof(bytes, fc.constant(text("leaf.key"))),
      async (certificate, key) => {
        await expect(checkProvided(given({ certificate, key }))).rejects.toBeInstanceOf(RegctlError);
      },
    ),
    { numRuns: 150 },
  );
});
