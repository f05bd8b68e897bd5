import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compare } from "bcryptjs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkHtpasswd,
  checkPassword,
  checkUserName,
  hasEntry,
  hashPassword,
  listEntries,
  removeEntry,
  upsertEntry,
} from "../../../src/auth/htpasswd.ts";
import { Secret } from "../../../src/secret.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** Made by Apache's `htpasswd -niB`, password `secret`. */
const ALICE = "alice:$2y$05$Gux9XvZwLg/Aw7WDOLiE1OJIDxnq9XfPd.6Sb3yoHcHrAqL6hC9Ea";
const HASH = "$2b$10$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDE";

describe("what the registry accepts", () => {
  it.each(["$2a$", "$2b$", "$2y$", "$2x$", "$2$"])("takes the prefix %s", (prefix) => {
    expect(checkHtpasswd(`bob:${prefix}${HASH.slice(4)}\n`)).toEqual([]);
  });

  it.each([
    ["{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"],
    ["$apr1$abcdefgh$abcdefghijklmnopqrstuv", "MD5"],
    ["secret", "plain text"],
    ["$2b$03$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDE", "a cost under 4"],
    ["", "nothing"],
  ])("refuses %s (%s) and names the way out", (hash) => {
    expect(checkHtpasswd(`bob:${hash}`)).toMatchObject([{ line: 1, hint: "regctl passwd bob" }]);
  });

  it("names the line without a colon, which locks everybody out", () => {
    expect(checkHtpasswd(`# people\n${ALICE}\n\nbroken\n`)).toMatchObject([
      { line: 4, message: expect.stringContaining("no colon") },
    ]);
  });

  it("ignores what stands behind the hash, as the registry does", () => {
    expect(checkHtpasswd(`${ALICE}:1000:comment`)).toEqual([]);
  });

  it("reads what Apache's htpasswd writes", () => {
    const written = spawnSync("htpasswd", ["-niB", "-C", "6", "carol"], { input: "secret\n", encoding: "utf8" }).stdout;
    expect(checkHtpasswd(written)).toEqual([]);
    expect(listEntries(written)).toEqual([{ name: "carol", cost: 6 }]);
  });
});

describe("changing entries", () => {
  it("keeps comments, blank lines, odd spacing and other entries byte for byte", () => {
    const text = `# made by hand\n\n  ${ALICE}  \nbob:${HASH}:extra`;
    expect(upsertEntry(text, "carol", HASH)).toBe(`${text}\ncarol:${HASH}\n`);
    expect(upsertEntry(text, "bob", `${HASH}X`)).toBe(`# made by hand\n\n  ${ALICE}  \nbob:${HASH}X\n`);
    expect(removeEntry(text, "alice")).toBe(`# made by hand\n\nbob:${HASH}:extra\n`);
  });

  it("leaves one entry of a name that was repeated: the registry used the last", () => {
    const text = `bob:${HASH}\n${ALICE}\nbob:${HASH}\n`;
    expect(upsertEntry(text, "bob", "$2b$05$new")).toBe(`${ALICE}\nbob:$2b$05$new\n`);
  });

  const name = fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((text) => /^[^:#\s][^:\n\r]*$/.test(text) && text.trim() === text);
  it("adds and removes exactly one user of any file", () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), name, (others, subject) => {
        const text = others.map((other) => `${other}:${HASH}\n`).join("");
        const added = upsertEntry(text, subject, HASH);
        expect(hasEntry(added, subject)).toBe(true);
        expect(new Set(listEntries(added).map((entry) => entry.name))).toEqual(new Set([...others, subject]));
        const removed = removeEntry(added, subject);
        expect(listEntries(removed).map((entry) => entry.name)).toEqual(
          [...new Set(others)].filter((other) => other !== subject),
        );
        expect(upsertEntry(added, subject, HASH)).toBe(added);
      }),
    );
  });
});

describe("names and passwords", () => {
  it.each(["", "a:b", "tab\tname", "#comment", " leading", "trailing ", "x".repeat(256), "line\nbreak"])(
    "refuses the user name %j",
    (text) => {
      expect(() => checkUserName(text)).toThrowError(expect.objectContaining({ code: "input-invalid" }));
    },
  );

  it.each(["", "x".repeat(73), "é".repeat(37), "nul\0byte"])("refuses the password %j", (text) => {
    expect(() => checkPassword(new Secret(text))).toThrowError(expect.objectContaining({ code: "input-invalid" }));
  });

  it("takes 72 bytes", () => {
    expect(checkPassword(new Secret("é".repeat(36)))).toBeUndefined();
  });

  it("makes a hash Apache's htpasswd verifies", async () => {
    const hash = await hashPassword(new Secret("secret"), 5);
    expect(await compare("secret", hash)).toBe(true);
    expect(checkHtpasswd(`dave:${hash}`)).toEqual([]);
    await using directory = temporaryDirectory();
    const file = join(directory.path, "htpasswd");
    await writeFile(file, `dave:${hash}\n`);
    expect(spawnSync("htpasswd", ["-vi", file, "dave"], { input: "secret\n", encoding: "utf8" }).stderr).toContain(
      "correct",
    );
    expect(spawnSync("htpasswd", ["-vi", file, "dave"], { input: "other\n", encoding: "utf8" }).stderr).toContain(
      "verification failed",
    );
  });
});
