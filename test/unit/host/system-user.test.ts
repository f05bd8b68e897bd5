import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { unprivilegedUid } from "../../../src/host/system-user.ts";

let etc: string;
beforeAll(() => {
  etc = mkdtempSync(join(tmpdir(), "regctl-etc-"));
});
afterAll(() => rmSync(etc, { recursive: true }));

function write(users: readonly number[], groups: readonly number[]): void {
  mkdirSync(etc, { recursive: true });
  writeFileSync(join(etc, "passwd"), users.map((id) => `u${id}:x:${id}:0:,,,:/:/bin/false\n`).join(""));
  writeFileSync(join(etc, "group"), groups.map((id) => `g${id}:x:${id}:root,u1\n`).join(""));
}

describe("unprivilegedUid", () => {
  it("is a number that names no user and no group of this host", async () => {
    const uid = unprivilegedUid();
    expect((await runCommand("getent", ["passwd", String(uid)])).exitCode).toBe(2);
    expect((await runCommand("getent", ["group", String(uid)])).exitCode).toBe(2);
  });

  it("is the highest free one from 65532 downwards", () => {
    const ids = fc.array(fc.integer({ min: 65500, max: 65534 }), { maxLength: 40 });
    fc.assert(
      fc.property(ids, ids, (users, groups) => {
        write(users, groups);
        const taken = new Set([...users, ...groups]);
        const uid = unprivilegedUid(etc);
        expect(taken.has(uid)).toBe(false);
        for (let higher = uid + 1; higher <= 65532; higher += 1) expect(taken.has(higher)).toBe(true);
      }),
    );
  });

  it("needs neither file", () => {
    expect(unprivilegedUid(join(etc, "missing"))).toBe(65532);
  });
});
