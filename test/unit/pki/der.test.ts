import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import { readFields } from "../../../src/pki/certificate-fields.ts";
import { readBits, readChildren, readElement, readOid } from "../../../src/pki/der.ts";
import { runs } from "../../support/property-runs.ts";

describe("readElement", () => {
  it("ends where the element ends, whatever follows", () => {
    const element = readElement(Buffer.from("0203010203ffff", "hex"));
    expect(element.tag).toBe(2);
    expect(element.content.toString("hex")).toBe("010203");
    expect(element.raw.toString("hex")).toBe("0203010203");
  });

  it("reads long lengths", () => {
    const content = Buffer.alloc(300, 7);
    const element = readElement(Buffer.concat([Buffer.from("0482012c", "hex"), content]));
    expect(element.content.equals(content)).toBe(true);
  });

  it.each(["", "30", "3005", "3080", "1f8101", "308500000000010a", "3084ffffffff"])("refuses %j", (hex) => {
    expect(() => readElement(Buffer.from(hex, "hex"))).toThrow(RegctlError);
  });
});

describe("readOid", () => {
  it.each([
    ["0603551d13", "2.5.29.19"],
    ["06092a864886f70d01010b", "1.2.840.113549.1.1.11"],
    ["0603883703", "2.999.3"],
  ])("%s is %s", (hex, oid) => {
    expect(readOid(readElement(Buffer.from(hex, "hex")))).toBe(oid);
  });

  it.each(["0600", "06022a86"])("refuses the unfinished %s", (hex) => {
    expect(() => readOid(readElement(Buffer.from(hex, "hex")))).toThrow(RegctlError);
  });
});

it("numbers bits from the most significant", () => {
  expect([...readBits(readElement(Buffer.from("03020106", "hex")))]).toEqual([5, 6]);
});

describe("readFields", () => {
  it("agrees with OpenSSL on every public root: CA flag and serial", () => {
    for (const pem of rootCertificates) {
      const certificate = new X509Certificate(pem);
      const fields = readFields(certificate);
      expect(fields.basicConstraints?.ca ?? false).toBe(certificate.ca);
      expect(BigInt(`0x${fields.serial.toString("hex")}`)).toBe(BigInt(`0x${certificate.serialNumber}`));
    }
    expect(rootCertificates.length).toBeGreaterThan(50);
  });

  it("answers or throws a RegctlError on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(Buffer.from(bytes))),
      { numRuns: runs(2000) },
    );
  });

  it("answers or throws a RegctlError on any damaged certificate", () => {
    const raw = new X509Certificate(rootCertificates[0] ?? "").raw;
    const damage = fc.array(fc.tuple(fc.nat(raw.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat(raw.length), (changes, length) => {
        const copy = Buffer.from(raw);
        for (const [offset, value] of changes) copy[offset] = value;
        return survives(copy) && survives(copy.subarray(0, length));
      }),
      { numRuns: runs(3000) },
    );
  });
});

it("never reads children past their parent", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const whole = Buffer.concat([Buffer.from([0x30, bytes.length]), Buffer.from(bytes)]);
      try {
        const children = readChildren(readElement(whole));
        return children.reduce((sum, child) => sum + child.raw.length, 0) === bytes.length;
      } catch (error) {
        return error instanceof RegctlError;
      }
    }),
  );
});

function survives(bytes: Buffer): boolean {
  try {
    readFields(bytes);
    return true;
  } catch (error) {
    if (error instanceof RegctlError) return true;
    throw error;
  }
}
