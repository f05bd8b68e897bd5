/** Certificates made by openssl, each wrong in its own way: the check that names it, and how it is mended. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { deploymentChecks } from "../../../src/doctor/deployment-checks.ts";
import type { CertificateFileContents } from "../../../src/doctor/deployment-facts.ts";
import { configOf, diagnose, facts, findings } from "../../support/deployment-facts.ts";
import { CA_EXTENSIONS, expiredLeaf, type Issued, issue, leafExtensions, RSA } from "../../support/e2e-issue.ts";
import { mustRun } from "../../support/run-program.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const NAMES = "DNS:registry.example.com";
const PROVIDED = configOf("tls: { mode: provided }");
const OWN = configOf();

let folder: string;
let root: Issued;
let intermediate: Issued;
let good: Issued;
let now: Date;
beforeAll(async () => {
  const directory = temporaryDirectory();
  folder = directory.path;
  root = await issue(folder, { name: "root", extensions: CA_EXTENSIONS, days: 3650 });
  intermediate = await issue(folder, {
    name: "middle",
    extensions: `${CA_EXTENSIONS}authorityKeyIdentifier=keyid\n`,
    days: 1800,
    issuer: root,
  });
  good = await issue(folder, { name: "good", issuer: root, extensions: leafExtensions(NAMES) });
  // What is made while the tests run is valid then.
  now = new Date(Date.now() + 600_000);
  return () => directory[Symbol.asyncDispose]();
});

const read = (path: string) => readFile(path);
const days = (count: number) => new Date(now.getTime() + count * 86_400_000);

/** What the checks say of these files. */
async function judge(change: Partial<CertificateFileContents> = {}, at = now, config = PROVIDED) {
  const healthy = {
    authority: await read(root.certificate),
    certificate: await read(good.certificate),
    key: await read(good.key),
    hasAuthorityKey: true,
  };
  const given = facts({
    now: at,
    config: async () => config,
    certificates: async () => ({ ...healthy, ...change }),
    engineDetails: async () => ({ ...(await facts().engineDetails()), time: at.toISOString() }),
    audit: async () => [],
  });
  const diagnoses = new Map<string, { cause: string; fix: string }>();
  for (const check of deploymentChecks) {
    const diagnosis = await check.examine(given);
    if (diagnosis !== undefined) diagnoses.set(check.id, diagnosis);
  }
  return {
    verdicts: await findings(given),
    cause: (id: string) => diagnoses.get(id)?.cause,
    fix: (id: string) => diagnoses.get(id)?.fix,
  };
}

async function leafWith(name: string, options: Partial<Parameters<typeof issue>[1]>) {
  const issued = await issue(folder, { name, issuer: root, extensions: leafExtensions(NAMES), ...options });
  return { certificate: await read(issued.certificate), key: await read(issued.key) };
}

it("a good one is in order", async () => {
  expect((await judge()).verdicts).toEqual({});
  expect((await judge({}, now, OWN)).verdicts).toEqual({});
});

describe("time", () => {
  it("tells 30 and 7 days before the end, and after it", async () => {
    expect((await judge({}, days(59))).verdicts).toEqual({});
    expect((await judge({}, days(61))).verdicts).toEqual({ "certificate-expiry": "warning" });
    expect((await judge({}, days(84))).verdicts).toEqual({ "certificate-expiry": "broken" });
    expect((await judge({}, days(61), OWN)).fix("certificate-expiry")).toBe("regctl certs renew");
    const leaf = await expiredLeaf(folder, root);
    const expired = await judge({ certificate: await read(leaf.certificate), key: await read(leaf.key) });
    expect(expired.cause("certificate-expiry")).toMatch(/^the certificate ended \d+ days ago/);
  });

  it("is not come yet", async () => {
    expect((await judge({}, days(-1))).cause("certificate-expiry")).toContain("is not valid before");
  });

  it("of an intermediate, and of the CA a year ahead", async () => {
    const short = await issue(folder, {
      name: "short",
      extensions: `${CA_EXTENSIONS}authorityKeyIdentifier=keyid\n`,
      days: 60,
      issuer: root,
    });
    const leaf = await issue(folder, { name: "below", issuer: short, extensions: leafExtensions(NAMES) });
    const certificate = Buffer.concat([await read(leaf.certificate), await read(short.certificate)]);
    const late = await judge({ certificate, key: await read(leaf.key) }, days(45));
    expect(late.cause("certificate-expiry")).toContain("the intermediate CN=short ends in");
    const long = await judge({ certificate: undefined }, days(3650 - 300));
    expect(long.verdicts["certificate-files"]).toBe("broken");
    const authority = await judge({ ...(await leafWith("long", { days: 3600 })) }, days(3650 - 300), OWN);
    expect(authority.verdicts["authority-expiry"]).toBe("warning");
    expect(authority.fix("authority-expiry")).toBe("regctl certs rollover");
  });
});

describe("the key", () => {
  it("of another certificate, of the CA, encrypted, DER, missing, no key at all", async () => {
    expect((await judge({ key: await read(root.key) })).cause("certificate-key")).toContain("another certificate");
    const withRoot = Buffer.concat([await read(good.certificate), await read(root.certificate)]);
    expect((await judge({ certificate: withRoot, key: await read(root.key) })).cause("certificate-key")).toContain(
      "certificate 2 of",
    );
    const [locked, der] = [join(folder, "locked.key"), join(folder, "der.key")];
    await mustRun("openssl", ["pkey", "-in", good.key, "-aes256", "-passout", "pass:x", "-out", locked]);
    await mustRun("openssl", ["pkey", "-in", good.key, "-outform", "DER", "-out", der]);
    const encrypted = await judge({ key: await read(locked) });
    expect(encrypted.cause("certificate-key")).toContain("is encrypted");
    expect(encrypted.fix("certificate-key")).toContain("openssl pkey -in certs/domain.key");
    expect((await judge({ key: await read(der) })).cause("certificate-key")).toContain("DER");
    expect((await judge({ key: undefined })).cause("certificate-key")).toContain("missing");
    expect((await judge({ key: await read(good.certificate) })).cause("certificate-key")).toContain(
      "holds a certificate",
    );
  });

  it("of the CA may be elsewhere: a note of its own, and only where regctl is the CA", async () => {
    expect((await judge({ hasAuthorityKey: false }, now, OWN)).verdicts).toEqual({ "authority-key": "warning" });
    expect((await judge({ hasAuthorityKey: false })).verdicts).toEqual({});
  });
});

describe("the files", () => {
  it("DER, empty, damaged, a key instead, missing", async () => {
    const der = join(folder, "good.der");
    await mustRun("openssl", ["x509", "-in", good.certificate, "-outform", "DER", "-out", der]);
    const cause = async (certificate: Buffer | undefined) => (await judge({ certificate })).cause("certificate-files");
    expect(await cause(await read(der))).toContain("is DER");
    expect(await cause(Buffer.alloc(0))).toContain("is empty");
    expect(await cause(undefined)).toContain("is missing");
    expect(await cause(await read(good.key))).toContain("holds a private key");
    expect(await cause(Buffer.from("\u0000\u001b[31m"))).toContain("no certificate that can be read");
    expect((await judge({ authority: Buffer.alloc(0) })).cause("certificate-files")).toContain("certs/ca.crt is empty");
    expect((await judge({ authority: undefined }, now, OWN)).cause("certificate-files")).toContain(
      "certs/ca.crt is missing",
    );
  });
});

describe("the chain", () => {
  it("without its intermediate, in the wrong order, with the root in it, of another CA", async () => {
    const leaf = await issue(folder, { name: "chained", issuer: intermediate, extensions: leafExtensions(NAMES) });
    const [one, two, top] = await Promise.all([leaf.certificate, intermediate.certificate, root.certificate].map(read));
    const key = await read(leaf.key);
    const of = (...parts: (Buffer | undefined)[]) => Buffer.concat(parts.filter((part) => part !== undefined));
    expect((await judge({ certificate: of(one, two), key })).verdicts).toEqual({});
    const missing = await judge({ certificate: of(one), key });
    expect(missing.verdicts["certificate-file-chain"]).toBe("broken");
    expect(missing.cause("certificate-file-chain")).toContain("CN=middle");
    const third = await issue(folder, { name: "third", extensions: CA_EXTENSIONS });
    expect(
      (await judge({ certificate: of(one, await read(third.certificate), two), key })).cause("certificate-file-chain"),
    ).toContain("certificate 2 of");
    expect((await judge({ certificate: of(one, two, top), key })).cause("certificate-file-chain")).toContain(
      "CN=root itself",
    );
    const other = await judge({ authority: await read(third.certificate) });
    expect(other.verdicts["certificate-file-chain"]).toBe("broken");
    expect(other.cause("certificate-file-chain")).toContain("CN=third");
  });
});

describe("the form", () => {
  it.each([
    [
      "a name in CN only",
      { extensions: leafExtensions(NAMES).replace(/subjectAltName=.*\n/, "") },
      "NO_SAN|names no host",
      "broken",
    ],
    ["900 days", { days: 900 }, "900 days", "warning"],
    [
      "client use only",
      { extensions: leafExtensions(NAMES).replace("serverAuth", "clientAuth") },
      "not for servers",
      "broken",
    ],
    ["1024 bit", { key: ["-newkey", "rsa:1024"] }, "1024 bits", "broken"],
    [
      "a CA as leaf",
      {
        extensions: `${CA_EXTENSIONS}authorityKeyIdentifier=keyid\nsubjectAltName=${NAMES}\nextendedKeyUsage=serverAuth\n`,
      },
      "is a CA itself|not for TLS",
      "broken",
    ],
  ] as const)("%s", async (name, options, cause, verdict) => {
    const judged = await judge(await leafWith(name.replaceAll(" ", "-"), options));
    expect(judged.cause("certificate-form")).toMatch(new RegExp(cause));
    expect(judged.verdicts["certificate-form"]).toBe(verdict);
  });

  it("SHA-1", async () => {
    const request = join(folder, "sha1.csr");
    const [certificate, key] = [join(folder, "sha1.crt"), join(folder, "sha1.key")];
    await mustRun("openssl", ["req", ...RSA, "-nodes", "-subj", "/CN=sha1", "-keyout", key, "-out", request]);
    const signer = [
      "-CA",
      root.certificate,
      "-CAkey",
      root.key,
      "-CAcreateserial",
      "-extfile",
      join(folder, "good.ext"),
    ];
    await mustRun("openssl", ["x509", "-req", "-in", request, "-sha1", "-days", "90", ...signer, "-out", certificate]);
    const judged = await judge({ certificate: await read(certificate), key: await read(key) });
    expect(judged.cause("certificate-form")).toContain("sha1");
  });

  it("a CA without key usage, which only its rollover mends", async () => {
    const lax = await issue(folder, { name: "lax", extensions: CA_EXTENSIONS.replace(/keyUsage=.*\n/, "") });
    const leaf = await issue(folder, { name: "of-lax", issuer: lax, extensions: leafExtensions(NAMES) });
    const judged = await judge(
      { authority: await read(lax.certificate), certificate: await read(leaf.certificate), key: await read(leaf.key) },
      now,
      OWN,
    );
    expect(judged.cause("certificate-form")).toContain("has no keyUsage");
    expect(judged.fix("certificate-form")).toBe("regctl certs rollover");
  });
});

it("a renewal nobody does is spoken of sixty days before the end", async () => {
  const verdict = async (left: number, isScheduled: boolean) => {
    const certificates = async () => ({
      authority: await read(root.certificate),
      certificate: await read(good.certificate),
      key: await read(good.key),
      hasAuthorityKey: true,
    });
    const isRenewalScheduled = async () => isScheduled;
    const given = { now: days(90 - left), config: async () => OWN, certificates, isRenewalScheduled };
    return (await diagnose("renewal-schedule", given))?.verdict;
  };
  expect(await verdict(59, false)).toBe("warning");
  expect(await verdict(59, true)).toBeUndefined();
  expect(await verdict(62, false)).toBeUndefined();
});

it("a name of regctl.yaml that is not in it", async () => {
  const config = configOf("tls: { mode: provided }", "san: [192.0.2.7, other.example.com]");
  expect((await judge({}, now, config)).cause("certificate-file-names")).toContain(
    "does not cover other.example.com, 192.0.2.7",
  );
});

it("what is served is compared with the file, the verifier's own root aside", async () => {
  const certificates = async () => ({
    authority: await read(root.certificate),
    certificate: await read(good.certificate),
    key: await read(good.key),
    hasAuthorityKey: true,
  });
  const { X509Certificate } = await import("node:crypto");
  const [own, other] = await Promise.all(
    [good, intermediate].map(async ({ certificate }) => new X509Certificate(await read(certificate)).fingerprint256),
  );
  const judged = async (...fingerprints: (string | undefined)[]) => {
    const served = async () => ({ fingerprints: fingerprints.filter((one) => one !== undefined) });
    return (
      await findings(
        facts({
          now,
          config: async () => PROVIDED,
          certificates,
          served,
          audit: async () => [],
          engineDetails: async () => ({ ...(await facts().engineDetails()), time: "" }),
        }),
      )
    )["certificate-served"];
  };
  expect(await judged(own)).toBeUndefined();
  expect(await judged(own, other)).toBeUndefined();
  expect(await judged()).toBeUndefined();
  expect(await judged(other)).toBe("broken");
});
