import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { daysLeft, describeCertificate } from "../../../src/pki/describe.ts";
import { splitPem } from "../../../src/pki/pem.ts";
import { leafExtensions, makeIssued, makeRoot, openWorkshop } from "./openssl.ts";

const workshop = openWorkshop();
afterAll(() => workshop.remove());

describe("describeCertificate", () => {
  it("says of an EC leaf what openssl says", () => {
    makeRoot(workshop, "root", "rsa");
    makeIssued(workshop, "leaf", "root", {
      kind: "ec",
      subject: "/O=Acme, Inc./CN=registry.test",
      extensions: leafExtensions("DNS:registry.test,DNS:b.test,IP:10.0.0.1,IP:2001:db8::1,email:a@b.test"),
    });
    const show = (...options: string[]) =>
      workshop
        .openssl("x509", "-in", "leaf.crt", "-noout", ...options)
        .trim()
        .split("=")[1];
    const info = describeCertificate(workshop.text("leaf.crt"), new Date());
    expect(info).toMatchObject({
      subject: "O=Acme\\, Inc., CN=registry.test",
      issuer: "O=test, CN=root",
      sans: ["registry.test", "b.test", "10.0.0.1", "2001:db8::1"],
      serial: show("-serial"),
      sha256: show("-fingerprint", "-sha256"),
      sha1: show("-fingerprint", "-sha1"),
      daysLeft: 89,
      keyType: "ec",
      keyBits: 256,
      signatureAlgorithm: "sha256WithRSAEncryption",
      isCa: false,
      selfSigned: false,
      keyUsage: ["digitalSignature", "keyEncipherment"],
      extendedKeyUsage: ["1.3.6.1.5.5.7.3.1"],
    });
    expect(info.notAfter).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(new Date(info.notAfter)).toEqual(new Date(show("-enddate") ?? ""));
  });

  it("says of a root that it is a CA and signed by itself", () => {
    expect(describeCertificate(workshop.text("root.crt"), new Date())).toMatchObject({
      isCa: true,
      selfSigned: true,
      sans: [],
      keyType: "rsa",
      keyBits: 2048,
      keyUsage: ["keyCertSign", "cRLSign"],
    });
  });

  it("describes every public root", () => {
    for (const pem of rootCertificates)
      expect(describeCertificate(pem, new Date()).isCa).toBe(new X509Certificate(pem).ca);
  });

  it.each(["", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])("refuses %j", (text) => {
    expect(() => describeCertificate(text, new Date())).toThrow(expect.objectContaining({ code: "input-invalid" }));
  });
});

it("daysLeft counts whole days, down to negative ones", () => {
  const now = new Date("2026-11-20T12:00:00Z");
  expect(daysLeft("2026-11-22T12:00:00Z", now)).toBe(2);
  expect(daysLeft("2026-11-22T11:59:59Z", now)).toBe(1);
  expect(daysLeft("2026-11-20T12:00:00Z", now)).toBe(0);
  expect(daysLeft("Nov 20 11:59:59 2026 GMT", now)).toBe(-1);
});

describe("splitPem", () => {
  it("finds each certificate whatever is around it", () => {
    const [a = "", b = ""] = rootCertificates;
    const bundle = `\uFEFFBag Attributes\r\n    friendlyName: x\r\n${a.replaceAll("\n", "\r\n")}\r\n# between\r\n${b}\ntrailing`;
    expect(splitPem(bundle).map((pem) => new X509Certificate(pem).fingerprint256)).toEqual(
      [a, b].map((pem) => new X509Certificate(pem).fingerprint256),
    );
    expect(splitPem(bundle).join("")).not.toContain("\r");
  });

  it("takes the certificate out of a TRUSTED CERTIFICATE", () => {
    workshop.openssl("x509", "-in", "root.crt", "-trustout", "-addtrust", "serverAuth", "-out", "trusted.crt");
    expect(workshop.text("trusted.crt")).toContain("BEGIN TRUSTED CERTIFICATE");
    const [pem = ""] = splitPem(workshop.text("trusted.crt"));
    expect(new X509Certificate(pem).raw.equals(new X509Certificate(workshop.text("root.crt")).raw)).toBe(true);
  });
});
