import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { filesBelow } from "../support/files-below.ts";
import { loginStatus } from "../support/login.ts";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { recordingPrompt } from "../support/recording-prompt.ts";
import { regctl } from "../support/regctl.ts";
import { type RunOptions, run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** Made by `htpasswd -nbB -C 5 foreign 'their password'`, of Debian's apache2-utils. */
const FOREIGN = "foreign:$2y$05$.kcQvpGgCng0SAMo5IbQp.7rFo9CvhesCV3uOqu3QXX0S0UoBx/WG";

let deployment: Made;
beforeAll(async () => {
  deployment = await made();
}, 60_000);

const users = (argv: readonly string[], options: RunOptions = {}) =>
  run([...argv, "-C", deployment.directory], options);
const htpasswd = (one = deployment) => join(one.directory, "auth/htpasswd");
const login = (user: string, password: string) => loginStatus(deployment, user, password);

/** No engine is given: were one asked for, the command would look for a real one. */
describe("adduser", () => {
  it("takes the password from stdin, but for its line end; the next request is let in without a restart", async () => {
    const started = await deployment.engine.containers.inspect("acme-registry-1");
    const password = `${secretForTest()} ü`;
    expect(await login("stdin", password)).toBe(401);
    const result = await users(["adduser", "stdin", "--password-stdin"], { stdin: `${password}\r\n` });
    expect(result).toEqual({ exitCode: 0, stdout: "added stdin; it can log in now\n", stderr: "" });
    expect(await login("stdin", password)).toBe(200);
    expect(await login("stdin", `${password}\r`)).toBe(401);
    expect(await deployment.engine.containers.inspect("acme-registry-1")).toEqual(started);
    expect((await stat(htpasswd())).mode & 0o777).toBe(0o600);
  });

  it.each([
    [0o600, ""],
    [0o644, "warning: others can read pw: chmod 600 pw\n"],
  ])("takes it from a file of mode %o", async (mode, stderr) => {
    await using folder = temporaryDirectory();
    const password = secretForTest();
    await writeFile(join(folder.path, "pw"), `${password}\n`);
    await chmod(join(folder.path, "pw"), mode);
    const argv = ["adduser", `file-${mode}`, "--password-file", "pw"];
    expect(await users(argv, { cwd: folder.path })).toMatchObject({ exitCode: 0, stderr });
    expect(await login(`file-${mode}`, password)).toBe(200);
  });

  it("makes one up, shows it once and keeps it nowhere", async () => {
    const { exitCode, stdout, stderr } = await users(["adduser", "generated"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [, password = ""] = /^Password: (\S{24}) {3}\(shown this once\)$/m.exec(stdout) ?? [];
    expect(await login("generated", password)).toBe(200);
    for (const [file, text] of Object.entries(await filesBelow(deployment.directory))) {
      expect(text, file).not.toContain(password);
      expect(text, file).not.toContain(Buffer.from(password).toString("base64"));
    }
  });

  it("prints nothing but the made-up password with -q, and it in JSON", async () => {
    const quiet = await users(["adduser", "quiet", "-q"]);
    expect(await login("quiet", quiet.stdout.trimEnd())).toBe(200);
    const json = JSON.parse((await users(["adduser", "json", "--json"])).stdout) as { data: { password: string } };
    expect(json).toEqual({
      apiVersion: "regctl/v1",
      kind: "adduser",
      data: { user: "json", password: expect.any(String) },
    });
    expect(await login("json", json.data.password)).toBe(200);
  });

  it("asks on a terminal; an empty answer makes one up", async () => {
    const password = secretForTest();
    const typed = recordingPrompt({ "--password-stdin or --password-file": password });
    expect((await users(["adduser", "typed"], { surroundings: { prompt: typed } })).stdout).not.toContain("Password:");
    expect(typed.asked.map(({ kind, message }) => [kind, message])).toEqual([
      ["password", "Password of typed (empty: one is made up)"],
    ]);
    expect(await login("typed", password)).toBe(200);
    const empty = await users(["adduser", "empty"], { surroundings: { prompt: recordingPrompt() } });
    expect(empty.stdout).toContain("Password: ");
  });

  it.each<[string, string[], string, number, RegExp]>([
    [
      "a user that exists",
      ["admin", "--password-stdin"],
      "x",
      5,
      /already is a user admin\n {2}hint: .*regctl passwd admin/,
    ],
    ["an empty password", ["new", "--password-stdin"], "\n", 2, /is empty/],
    ["a password of 73 bytes", ["new", "--password-stdin"], "x".repeat(73), 2, /longer than 72 bytes/],
    [
      "a password of 72 characters but more bytes",
      ["new", "--password-stdin"],
      "ü".repeat(37),
      2,
      /longer than 72 bytes/,
    ],
    ["a name with a colon", ["a:b"], "", 2, /colon/],
    ["an empty name", [""], "", 2, /is empty/],
    ["a name that makes a comment", ["#a"], "", 2, /comment/],
    ["a name with a line end", ["a\nb"], "", 2, /control characters/],
    ["a file that is not there", ["new", "--password-file", "/nonexistent/pw"], "", 2, /correct --password-file/],
  ])("refuses %s and changes nothing", async (_, argv, stdin, exitCode, problem) => {
    const before = await readFile(htpasswd(), "utf8");
    const result = await users(["adduser", ...argv], { stdin });
    expect(result).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toMatch(problem);
    expect(await readFile(htpasswd(), "utf8")).toBe(before);
  });

  it("adds all of ten that run at once, as processes", { timeout: 60_000 }, async () => {
    await regctl(["--version"]);
    const names = Array.from({ length: 10 }, (_, index) => `at-once-${index}`);
    const before = await readFile(htpasswd(), "utf8");
    const results = await Promise.all(
      names.map((name) => regctl(["adduser", name, "--password-stdin", "-C", deployment.directory], { input: name })),
    );
    expect(results.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
    const after = await readFile(htpasswd(), "utf8");
    expect(after.startsWith(before)).toBe(true);
    const added = after.slice(before.length).trimEnd().split("\n");
    expect(added.map((line) => line.split(":")[0]).sort()).toEqual(names);
    for (const name of names) expect(await login(name, name)).toBe(200);
  });
});

describe("passwd and rmuser", () => {
  it("change and remove at once", async () => {
    await users(["adduser", "changing", "--password-stdin"], { stdin: "first" });
    const changed = await users(["passwd", "changing", "--password-stdin"], { stdin: "second" });
    expect(changed).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: expect.stringContaining("the old one is refused"),
    });
    expect(await login("changing", "first")).toBe(401);
    expect(await login("changing", "second")).toBe(200);
    expect(await users(["rmuser", "changing"])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await login("changing", "second")).toBe(401);
  });

  it.each(["passwd", "rmuser"])("%s refuses a user there is not and names those there are", async (verb) => {
    const result = await users([verb, "nobody"]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/there is no user nobody\n {2}hint: the users are: admin/);
  });
});

describe("a user file of somebody else", () => {
  let own: Made;
  beforeAll(async () => {
    own = await made();
  });

  const THEIRS = `# ours since 2019\n\n${FOREIGN}\n  # indented\n`;

  it("keeps comments, blank lines and foreign entries byte for byte", async () => {
    await writeFile(htpasswd(own), THEIRS);
    const at = ["-C", own.directory];
    expect(await run(["adduser", "mine", "--password-stdin", ...at], { stdin: "m" })).toMatchObject({ exitCode: 0 });
    const added = await readFile(htpasswd(own), "utf8");
    expect(added.startsWith(THEIRS)).toBe(true);
    expect(await loginStatus(own, "foreign", "their password")).toBe(200);
    await run(["passwd", "mine", "--password-stdin", ...at], { stdin: "n" });
    await run(["rmuser", "mine", ...at]);
    expect(await readFile(htpasswd(own), "utf8")).toBe(THEIRS);
    expect((await run(["users", ...at])).stdout).toBe("USER      BCRYPT COST\nforeign   5\n");
  });

  it.each(["adduser new", "passwd foreign", "rmuser foreign", "users"])(
    "with a line that locks everybody out is refused by %s, which names the line and changes nothing",
    async (line) => {
      const broken = `${FOREIGN}\nno colon here\n`;
      await writeFile(htpasswd(own), broken);
      const result = await run([...line.split(" "), "-C", own.directory], { stdin: "" });
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(/auth\/htpasswd \(line 2\): has no colon.*\n.*delete line 2/);
      expect(await readFile(htpasswd(own), "utf8")).toBe(broken);
    },
  );

  it.each(["passwd old --password-stdin", "rmuser old"])(
    "with an entry that is no bcrypt hash is mended by `%s`, as the error says",
    async (line) => {
      const old = "old:$apr1$Q3v7bFh0$zT1wnqVfrjJrSHXHjvs2D.\n";
      await writeFile(htpasswd(own), `${old}${FOREIGN}\n`);
      const refused = await run(["adduser", "new", "-C", own.directory]);
      expect(refused).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("regctl passwd old") });
      expect(await run([...line.split(" "), "-C", own.directory], { stdin: "new one" })).toMatchObject({ exitCode: 0 });
      expect(await run(["adduser", "new", "-C", own.directory])).toMatchObject({ exitCode: 0 });
      expect(await loginStatus(own, "old", "new one")).toBe(line.startsWith("passwd") ? 200 : 401);
    },
  );
});

describe("users", () => {
  it("lists them with what each costs, as text, names and JSON", async () => {
    const own = await made();
    await run(["adduser", "ci", "--password-stdin", "-C", own.directory], { stdin: "x" });
    const list = async (...flags: string[]) => (await run(["users", "-C", own.directory, ...flags])).stdout;
    expect(await list()).toBe("USER    BCRYPT COST\nadmin   5\nci      5\n");
    expect(await list("-q")).toBe("admin\nci\n");
    expect(JSON.parse(await list("--json"))).toEqual({
      apiVersion: "regctl/v1",
      kind: "users",
      data: {
        users: [
          { name: "admin", cost: 5 },
          { name: "ci", cost: 5 },
        ],
      },
    });
  });

  it("says what to do where there is none", async () => {
    const own = await made();
    await run(["rmuser", "admin", "-C", own.directory]);
    expect((await run(["users", "-C", own.directory])).stdout).toContain("regctl adduser NAME");
  });

  it("takes the cost regctl.yaml says", async () => {
    const own = await made();
    await edit(own.directory, "bcryptCost: 5", "bcryptCost: 6");
    await run(["adduser", "dear", "-C", own.directory]);
    expect((await run(["users", "-C", own.directory])).stdout).toMatch(/admin +5\ndear +6/);
  });
});

describe("without users", () => {
  it.each(["adduser ci", "passwd ci", "rmuser ci"])("%s is refused, with the way to have them", async (line) => {
    await using folder = temporaryDirectory();
    await writeFile(join(folder.path, "regctl.yaml"), "auth: { mode: none }\n");
    const result = await run([...line.split(" "), "-C", folder.path]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/auth.mode is none\n {2}hint: set auth.mode: htpasswd/);
    expect(Object.keys(await filesBelow(folder.path))).not.toContain("auth/htpasswd");
  });
});
