import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachmentTags, parseAttachmentTag, referrersTag } from "../../../src/registry/attachments.ts";
import { formatPlatform } from "../../../src/registry/platform.ts";

const HEX = "0123456789abcdef".repeat(4);

describe("parseAttachmentTag", () => {
  it.each([
    [`sha256-${HEX}`, "referrers"],
    [`sha256-${HEX}.sig`, "signature"],
    [`sha256-${HEX}.att`, "attestation"],
    [`sha256-${HEX}.sbom`, "sbom"],
  ])("%s", (tag, kind) => {
    expect(parseAttachmentTag(tag)).toEqual({ subject: `sha256:${HEX}`, kind });
  });

  it.each([
    "latest",
    `sha256-${HEX}.exe`,
    `sha256-${HEX}0`,
    `sha256-${HEX.toUpperCase()}`,
    `v-sha256-${HEX}`,
    `sha256:${HEX}`,
  ])("%s is an ordinary tag", (tag) => {
    expect(parseAttachmentTag(tag)).toBeUndefined();
  });

  it("reads back every tag something may be attached under", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(hex, (digits) => {
        const tags = attachmentTags(`sha256:${digits}`);
        expect(tags.map((tag) => parseAttachmentTag(tag)?.subject)).toEqual(Array(4).fill(`sha256:${digits}`));
      }),
    );
  });
});

describe("referrersTag", () => {
  it("cuts long digests as the specification's own example does", () => {
    expect(referrersTag(`sha512:${"a".repeat(128)}`)).toBe(`sha512-${"a".repeat(64)}`);
    expect(attachmentTags(`sha512:${"a".repeat(128)}`)).toEqual([`sha512-${"a".repeat(64)}`]);
  });
});

describe("formatPlatform", () => {
  it.each([
    [{ os: "linux", architecture: "amd64", variant: undefined, osVersion: undefined }, "linux/amd64"],
    [{ os: "linux", architecture: "arm", variant: "v7", osVersion: undefined }, "linux/arm/v7"],
    [{ os: "windows", architecture: "amd64", variant: undefined, osVersion: "10.0.1" }, "windows/amd64 10.0.1"],
  ])("%o is %s", (platform, text) => {
    expect(formatPlatform(platform)).toBe(text);
  });
});
