import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { linkTime, readLink, readSmallFile } from "../../../src/storage/small-file.ts";
import { runs } from "../../support/property-runs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const folder = temporaryDirectory();
afterAll(() => folder[Symbol.asyncDispose]());
const at = (name: string) => join(folder.path, name);

describe("readSmallFile", () => {
  it("reads files of any size, one after the other, whole", () => {
    const sizes = fc.oneof(
      fc.integer({ min: 0, max: 3000 }),
      fc.constantFrom(65_535, 65_536, 65_537, 131_072, 400_000),
    );
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 6 }), (lengths) => {
        for (const [place, length] of lengths.entries()) {
          const content = Buffer.alloc(length, `${place}:${length} `);
          writeFileSync(at("sized"), content);
          expect(readSmallFile(at("sized"))?.equals(content)).toBe(true);
        }
      }),
      { numRuns: runs(20) },
    );
  });

  it("says undefined where there is no file, on the way there as well", () => {
    writeFileSync(at("file"), "x");
    expect(readSmallFile(at("none"))).toBeUndefined();
    expect(readSmallFile(at("none/data"))).toBeUndefined();
    expect(readSmallFile(at("file/data"))).toBeUndefined();
  });

  it("follows no link: to a file, to nothing, to itself", () => {
    writeFileSync(at("secret"), "secret");
    symlinkSync(at("secret"), at("to-file"));
    symlinkSync(at("gone"), at("to-nothing"));
    symlinkSync(at("to-itself"), at("to-itself"));
    for (const name of ["to-file", "to-nothing", "to-itself"])
      expect(() => readSmallFile(at(name))).toThrow(expect.objectContaining({ code: "ELOOP" }));
  });

  it("takes a folder for no file, and does not wait for a pipe nobody writes to", () => {
    mkdirSync(at("folder"));
    expect(() => readSmallFile(at("folder"))).toThrow(expect.objectContaining({ code: "EISDIR" }));
    execFileSync("mkfifo", [at("pipe")]);
    expect(() => readSmallFile(at("pipe"))).toThrow(expect.objectContaining({ code: "ESPIPE" }));
  });

  it("refuses what is longer than any manifest, with its path", () => {
    writeFileSync(at("endless"), "");
    truncateSync(at("endless"), 16 * 1024 * 1024 + 1);
    expect(() => readSmallFile(at("endless"))).toThrow(/endless has 16777217 bytes/);
  });
});

describe("links", () => {
  it("are told apart: written, cut off, missing", () => {
    for (const name of ["whole", "empty", "without"]) mkdirSync(at(name));
    writeFileSync(at("whole/link"), "sha256:0");
    writeFileSync(at("empty/link"), "");
    utimesSync(at("whole/link"), 1_700_000_000, 1_700_000_000);
    expect(["whole", "empty", "without", "nowhere"].map((name) => readLink(at(name)))).toEqual([
      "sha256:0",
      "",
      undefined,
      undefined,
    ]);
    expect(linkTime(at("whole"))).toBe(1_700_000_000_000);
    expect(linkTime(at("without"))).toBeUndefined();
  });
});
