/** Users come, go and change their passwords while the registry serves: nothing is restarted and nobody is locked out. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Credentials } from "../support/clients.ts";
import { answer, deployed, jsonOf, keep, onlyContainer, writtenError } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

let registry: Scenario;
let htpasswd: string;
beforeAll(async () => {
  registry = keep(await deployed());
  htpasswd = join(registry.directory, "auth/htpasswd");
});

/** What `htpasswd` makes of a password: an entry independent of regctl. */
async function entry(name: string, password: string): Promise<string> {
  return (await mustRun("htpasswd", ["-niB", "-C", "5", name], { input: password })).stdout.trim();
}

/** Puts a file made by hand in place; a registry notices by the time of its last change. */
async function putByHand(content: string): Promise<void> {
  await writeFile(`${htpasswd}.hand`, content);
  await mustRun("chown", ["--reference", htpasswd, `${htpasswd}.hand`]);
  await rename(`${htpasswd}.hand`, htpasswd);
}

async function withOriginal<T>(work: () => Promise<T>): Promise<T> {
  const before = await readFile(htpasswd, "utf8");
  try {
    return await work();
  } finally {
    await putByHand(before);
  }
}

const added = async (name: string): Promise<Credentials> => {
  const credentials = { user: name, password: secretForTest() };
  await registry.must(["adduser", name, "--password-stdin"], { input: credentials.password });
  return credentials;
};

describe("a change of users", () => {
  it("works on the very next request, in the same container, for adduser, passwd and rmuser", async () => {
    const { Id, State } = await onlyContainer(registry);
    const user = await added("ci");
    expect(await answer(registry, user)).toBe(200);
    expect(await answer(registry, { ...user, password: `${user.password}x` })).toBe(401);

    const changed = { ...user, password: secretForTest() };
    await registry.must(["passwd", "ci", "--password-stdin"], { input: `${changed.password}\n` });
    expect(await answer(registry, changed)).toBe(200);
    expect(await answer(registry, user)).toBe(401);

    await registry.must(["rmuser", "ci"]);
    expect(await answer(registry, changed)).toBe(401);
    expect(await answer(registry)).toBe(200);
    const after = await onlyContainer(registry);
    expect({ id: after.Id, started: after.State.StartedAt }).toEqual({ id: Id, started: State.StartedAt });
  });

  it("ten at once are ten, and all of them can log in", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `robot-${index}`);
    const robots = await Promise.all(names.map(added));
    expect(await Promise.all(robots.map((robot) => answer(registry, robot)))).toEqual(names.map(() => 200));
    const { users } = await jsonOf<{ users: { name: string; cost: number }[] }>(registry, ["users"]);
    expect(users.map(({ name }) => name).sort()).toEqual(["admin", ...names].sort());
    await Promise.all(names.map((name) => registry.must(["rmuser", name])));
    expect((await registry.must(["users", "-q"])).stdout).toBe("admin\n");
  });

  it("a generated password is shown once and works; one longer than bcrypt reads is refused", async () => {
    const { password } = await jsonOf<{ password: string }>(registry, ["adduser", "generated"]);
    expect(await answer(registry, { user: "generated", password })).toBe(200);
    await registry.must(["rmuser", "generated"]);
    const before = await readFile(htpasswd, "utf8");
    for (const [name, input] of [
      ["long", "x".repeat(73)],
      ["empty", ""],
      ["a:b", "password"],
    ] as const) {
      expect((await registry.regctl(["adduser", name, "--password-stdin"], { input })).exitCode).toBe(2);
    }
    expect((await registry.regctl(["adduser", "admin", "--password-stdin"], { input: "x" })).exitCode).toBe(5);
    expect((await registry.regctl(["rmuser", "nobody-here"])).exitCode).toBe(2);
    expect(await readFile(htpasswd, "utf8")).toBe(before);
  });
});

describe("a file that somebody else wrote", () => {
  it.each(["2a", "2b", "2y", "2x"])("$%s$ hashes are accepted by the registry, and by regctl", async (version) => {
    await withOriginal(async () => {
      const by = { user: `by-${version}`, password: secretForTest() };
      const line = (await entry(by.user, by.password)).replace("$2y$", `$${version}$`);
      await putByHand(`# made by hand\n\n${await readFile(htpasswd, "utf8")}${line}\n`);
      await eventually(async () => (await answer(registry, by)) === 200);
      const later = await added("later");
      expect(await answer(registry, later)).toBe(200);
      expect(await answer(registry, by)).toBe(200);
      const content = await readFile(htpasswd, "utf8");
      expect(content.startsWith("# made by hand\n\nadmin:")).toBe(true);
      expect(content).toContain(`\n${line}\n`);
    });
  });

  it("a line without a colon locks everybody out of the registry; regctl says which and adds nothing to it", async () => {
    await withOriginal(async () => {
      const content = `${await readFile(htpasswd, "utf8")}not an entry\n`;
      await putByHand(content);
      await eventually(async () => (await answer(registry)) !== 200);
      const refused = await registry.regctl(["adduser", "later", "--password-stdin", "--json"], { input: "x" });
      expect(refused.exitCode).toBe(2);
      expect(writtenError(refused.stderr).details.issues).toMatchObject([{ path: "auth/htpasswd", line: 2 }]);
      expect(await readFile(htpasswd, "utf8")).toBe(content);
      expect((await registry.regctl(["status"])).exitCode).toBe(3);
    });
    expect(await answer(registry)).toBe(200);
  });

  it("passwd repairs an entry with a hash the registry does not accept", async () => {
    await withOriginal(async () => {
      const bob = { user: "bob", password: secretForTest() };
      const sha = (await mustRun("htpasswd", ["-nis", bob.user], { input: bob.password })).stdout.trim();
      await putByHand(`${await readFile(htpasswd, "utf8")}${sha}\n`);
      await eventually(async () => (await answer(registry)) === 200);
      expect(await answer(registry, bob)).toBe(401);
      expect((await registry.regctl(["adduser", "later", "--password-stdin"], { input: "x" })).exitCode).toBe(2);
      await registry.must(["passwd", "bob", "--password-stdin"], { input: bob.password });
      expect(await answer(registry, bob)).toBe(200);
    });
  });
});
