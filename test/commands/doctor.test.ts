import { existsSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { freePort } from "../contract/free-port.ts";
import { keep, made } from "../support/made-deployment.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { run } from "../support/run.ts";
import type {} from "../support/shared-certificates.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

interface Checked {
  readonly id: string;
  readonly verdict: string;
  readonly cause: string;
  readonly fix: string;
  readonly title: string;
  readonly repairable: boolean;
}

const checksOf = (stdout: string): Checked[] => (JSON.parse(stdout) as { data: { checks: Checked[] } }).data.checks;

describe("doctor of a deployment", () => {
  it("has nothing wrong with one that is healthy", async () => {
    const { directory, engine } = await made();
    const result = await run(["doctor", "-C", directory, "--json"], { engine });
    const { data } = JSON.parse(result.stdout);
    expect(data).toMatchObject({ url: expect.stringMatching(/^https:\/\/localhost:/), directory, repairs: [] });
    const wrong = checksOf(result.stdout).filter(({ verdict }) => verdict === "broken" || verdict === "warning");
    expect(wrong).toEqual([]);
    expect(result.exitCode).toBe(0);
    for (const one of checksOf(result.stdout)) {
      expect(one).toEqual({
        id: expect.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)*$/),
        title: expect.any(String),
        verdict: expect.stringMatching(/^(ok|unknown)$/),
        cause: one.verdict === "ok" ? "" : expect.stringMatching(/./),
        fix: one.verdict === "ok" ? "" : expect.stringMatching(/./),
        repairable: false,
      });
    }
    // docker takes anything at localhost, which is no failure, and not in order either.
    expect(checksOf(result.stdout).find(({ id }) => id === "loopback-proves-nothing")?.verdict).toBe("unknown");
    expect(new Set(checksOf(result.stdout).map(({ id }) => id)).size).toBe(checksOf(result.stdout).length);
  });

  it("says exit 3 with cause and fix when nothing answers", async () => {
    const { directory, engine } = await made();
    await engine[Symbol.asyncDispose]();
    const result = await run(["doctor", "-C", directory], { engine });
    expect(result.exitCode).toBe(3);
    expect(result.stdout).toMatch(/^BROKEN {2}.*port-open/m);
    expect(result.stdout).toMatch(/refuses the connection: nothing listens there\n {2}fix: .*regctl up/);
    // What could not be looked at for that reason is told once.
    expect(result.stdout.match(/nothing answers at the registry's port/g)).toHaveLength(1);
  });
});

describe("doctor --from-client", () => {
  it("needs no deployment and no engine", async () => {
    const port = await freePort();
    const result = await run(["doctor", "--from-client", `127.0.0.1:${port}`, "--json"]);
    expect(result.exitCode).toBe(3);
    expect(JSON.parse(result.stdout)).toMatchObject({
      kind: "doctor",
      data: { url: `https://127.0.0.1:${port}`, directory: null, worst: "broken" },
    });
    expect(checksOf(result.stdout).find(({ id }) => id === "port-open")).toMatchObject({ verdict: "broken" });
    const quiet = await run(["doctor", "--from-client", `127.0.0.1:${port}`, "-q"]);
    expect(quiet.stdout).toBe("broken\n");
  });

  it.each<[readonly string[], RegExp]>([
    [["--from-client", "ftp://a"], /neither https nor http/],
    [["--from-client", "https://u:hush@a"], /carries a user or a password/],
    [["--from-client", "a:0"], /port is not a number/],
    [["--from-client", "a:5000/UPPER"], /no image/],
    [["--from-client", ""], /has no host/],
    [["--from-client", "a", "--ca", "/no/such/file"], /cannot read \/no\/such\/file/],
    [["--from-client", "a", "--ca", "/etc/passwd"], /cannot be used/],
    [["--from-client", "a", "--password-stdin"], /a password without a user/],
    [["--ca", "/etc/passwd"], /--ca is for --from-client/],
  ])("refuses %s", async (flags, problem) => {
    const result = await run(["doctor", ...flags]);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(problem);
    expect(result.stderr).toMatch(/hint: /);
    expect(result.stderr).not.toContain("hush");
  });

  it("never shows the password", async () => {
    const { port } = await made();
    const secret = secretForTest();
    const flags = ["--user", "admin", "--password-stdin", "--verbose"];
    const result = await run(["doctor", "--from-client", `localhost:${port}`, ...flags], { stdin: secret });
    expect(result.exitCode).toBe(3);
    expect(result.stdout).not.toContain(secret);
  });
});

describe("doctor --fix", () => {
  /** Folders of a user's own, in which an empty one of podman's hides docker's. */
  async function hidden() {
    const home = keep(temporaryDirectory());
    const name = `127.0.0.1:${await freePort()}`;
    const [docker, podman] = ["docker", "containers"].map((client) => join(home.path, client, "certs.d", name));
    await mkdir(docker as string, { recursive: true });
    await mkdir(podman as string, { recursive: true });
    await copyFile(join(inject("certificates"), "ca.crt"), join(docker as string, "ca.crt"));
    const options = { environment: { HOME: home.path, XDG_CONFIG_HOME: home.path } };
    return { name, podman: podman as string, options };
  }

  it("mends what can be mended, says so, and looks again", async () => {
    const { name, podman, options } = await hidden();
    const before = await run(["doctor", "--from-client", name, "--json"], options);
    const seen = checksOf(before.stdout).find(({ id }) => id === "trust-folder-hidden");
    expect(seen).toMatchObject({ verdict: "broken", repairable: true, cause: expect.stringContaining(podman) });
    expect(existsSync(podman)).toBe(true);

    const after = await run(["doctor", "--from-client", name, "--fix", "--yes", "--json"], options);
    expect(JSON.parse(after.stdout).data.repairs).toEqual([
      { id: "trust-folder-hidden", outcome: "repaired", message: expect.stringContaining(podman) },
    ]);
    expect(checksOf(after.stdout).find(({ id }) => id === "trust-folder-hidden")?.verdict).toBe("ok");
    expect(existsSync(podman)).toBe(false);
    // The port is still closed.
    expect(after.exitCode).toBe(3);
  });

  it("asks first, and changes nothing where nobody can be asked", async () => {
    const { name, podman, options } = await hidden();
    const result = await run(["doctor", "--from-client", name, "--fix"], options);
    expect(result).toMatchObject({ exitCode: 2, stdout: "" });
    expect(result.stderr).toMatch(/to mend: trust-folder-hidden: /);
    expect(result.stderr).toMatch(/pass --yes/);
    expect(existsSync(podman)).toBe(true);
  });
});
