/** `certs renew --if-due` and the warnings of `status`, by the calendar: what a timer does and what people see in the years. */
import { X509Certificate } from "node:crypto";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAuthority } from "../../src/pki/authority.ts";
import { issueLeaf } from "../../src/pki/leaf.ts";
import { lifetimeDays, renewBelowDays, warnBelowDays } from "../../src/pki/lifetime.ts";
import { normalizeHosts } from "../../src/pki/san.ts";
import { CA_EXTENSIONS, issue, LOCALHOST, leafExtensions } from "../support/e2e-issue.ts";
import { filesBelow } from "../support/files-below.ts";
import { keep, type Made, made } from "../support/made-deployment.ts";
import { run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const DAY_MS = 86_400_000;

function over({ directory, engine }: Made) {
  const at = (days: number) => new Date(Date.now() + days * DAY_MS);
  return {
    certificates: () => filesBelow(join(directory, "certs")),
    end: async (file = "certs/domain.crt") =>
      Date.parse(new X509Certificate(await readFile(join(directory, file), "utf8")).validTo),
    command: (line: string, days = 0) => run([...line.split(" "), "-C", directory], { engine, now: at(days) }),
    status: async (days: number) => {
      const result = await run(["status", "-C", directory, "--json"], { engine, now: at(days) });
      const { data } = JSON.parse(result.stdout) as {
        data: { healthy: boolean; warnings: string[]; notes: string[]; problems: string[] };
      };
      return { ...data, exitCode: result.exitCode };
    },
  };
}

/** Puts an authority into the folder that ends in so many days, and perhaps a certificate it issued so many days ago. */
async function agedAuthority({ directory }: Made, daysLeft: number, issuedDaysAgo?: number): Promise<void> {
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS);
  const authority = await createAuthority({ deploymentName: "acme", now: ago(3650 - daysLeft), keyBits: 2048 });
  const put = (name: string, text: string) => writeFile(join(directory, "certs", name), text);
  await put("ca.crt", authority.certificatePem);
  await put("ca.key", authority.keyPem.reveal());
  if (issuedDaysAgo === undefined) return;
  const hosts = normalizeHosts(["localhost", "127.0.0.1", "::1"]);
  const leaf = await issueLeaf({ authority, hosts, now: ago(issuedDaysAgo) });
  await put("domain.crt", leaf.certificatePem);
  await put("domain.key", leaf.keyPem.reveal());
}

describe("certs renew --if-due", { timeout: 90_000 }, () => {
  it("renews below a third of the life, says how many days are left before that, and leaves one that is not due", async () => {
    const deployment = await made();
    const { command, certificates, end } = over(deployment);
    await agedAuthority(deployment, 2000, 300);
    expect(await command("up")).toMatchObject({ exitCode: 0 });
    const before = await certificates();
    const early = await command("certs renew --if-due", -50);
    expect(early).toMatchObject({ exitCode: 0, stdout: "not due, 146 days left (renewed below 132)\n" });
    const dry = await command("certs renew --if-due --dry-run");
    expect(dry.stdout).toContain("~ certificate certs/domain.crt  renewed");
    expect(await certificates()).toEqual(before);
    const due = await command("certs renew --if-due --json");
    expect(due).toMatchObject({ exitCode: 0 });
    const { data } = JSON.parse(due.stdout) as { data: { due: boolean; changes: { name: string }[] } };
    expect(data).toMatchObject({ due: true, belowDays: 132, dryRun: false });
    expect(data.changes.map(({ name }) => name)).toContain("acme-registry-1");
    expect((await end()) - Date.now()).toBeGreaterThan(390 * DAY_MS);
    const renewed = await certificates();
    const again = await command("certs renew --if-due", 1);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^not due, 395/) });
    expect(await certificates()).toEqual(renewed);
  });

  it("needs no engine while it is not due, and the engine before anything changes when it is", async () => {
    const deployment = await made();
    const { certificates } = over(deployment);
    const before = await certificates();
    const dead = (days: number) =>
      run(["certs", "renew", "--if-due", "-C", deployment.directory], {
        environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" },
        now: new Date(Date.now() + days * DAY_MS),
      });
    expect(await dead(0)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("not due") });
    expect(await dead(390)).toMatchObject({ exitCode: 4, stdout: "" });
    expect(await certificates()).toEqual(before);
  });

  it("serves what an interrupted renewal left in the folder, though it is not due", async () => {
    const deployment = await made();
    const { command } = over(deployment);
    // The folder of a renewal whose container was never replaced.
    const container = (await deployment.engine.fake.containers.list({}))[0]?.id;
    await rm(join(deployment.directory, "certs/domain.crt"));
    await command("up --dry-run");
    const other = await made();
    expect(await over(other).command("certs renew")).toMatchObject({ exitCode: 0 });
    for (const file of ["domain.crt", "domain.key"])
      await cp(join(other.directory, "certs", file), join(deployment.directory, "certs", file));
    const served = await command("certs renew --if-due");
    expect(served).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("serves it now") });
    expect((await deployment.engine.fake.containers.list({}))[0]?.id).not.toBe(container);
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
  });

  it("does not start a registry that was taken down", async () => {
    const deployment = await made();
    const { command, certificates } = over(deployment);
    expect(await command("down")).toMatchObject({ exitCode: 0 });
    const before = await certificates();
    expect(await command("certs renew --if-due", 390)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^due, 6 days left; the registry is down/),
    });
    expect(await deployment.engine.fake.containers.list({})).toEqual([]);
    expect(await certificates()).toEqual(before);
  });

  it("says of a provided certificate whose it is, and exits 3 once it is due", async () => {
    const deployment = await made();
    const folder = keep(temporaryDirectory());
    const root = await issue(folder.path, { name: "root", extensions: CA_EXTENSIONS, days: 3650 });
    const leaf = await issue(folder.path, {
      name: "leaf",
      issuer: root,
      extensions: leafExtensions(LOCALHOST),
      days: 90,
    });
    const { command, status, certificates } = over(deployment);
    expect(await command(`certs import ${leaf.certificate} --key ${leaf.key} --ca ${root.certificate}`)).toMatchObject({
      exitCode: 0,
    });
    const before = await certificates();
    expect(await command("certs renew --if-due", 1)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^not due, 8\d days/),
    });
    const due = await command("certs renew --if-due", 61);
    expect(due).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining(
        "its owner has to renew it\nget one from who issued it, then: regctl certs import",
      ),
    });
    expect(await certificates()).toEqual(before);
    expect(await command("certs renew")).toMatchObject({ exitCode: 2, stdout: "" });
    const seen = await status(70);
    expect(seen).toMatchObject({ exitCode: 3, healthy: true, problems: [] });
    expect(seen.warnings).toEqual([
      expect.stringMatching(/expires in (19|20) days.*regctl certs import CERTIFICATE --key KEY$/),
    ]);
  });

  it("does not renew for ever under an authority that ends with the certificate", async () => {
    const deployment = await made();
    const { command, end, certificates } = over(deployment);
    await agedAuthority(deployment, 100);
    expect(await command("certs renew")).toMatchObject({ exitCode: 0 });
    expect(await end()).toBe(await end("certs/ca.crt"));
    const before = await certificates();
    const result = await command("certs renew --if-due", 80);
    expect(result).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/^due, .*authority itself ends on/) });
    expect(await certificates()).toEqual(before);
  });

  it("says what to do about a lost key of the authority; the registry serves on and up needs no key", async () => {
    const deployment = await made();
    const { command, status } = over(deployment);
    await rm(join(deployment.directory, "certs/ca.key"));
    // The running container hides a file that is not there any more, which the engine refuses at its next start.
    const lost = await status(0);
    expect(lost).toMatchObject({ exitCode: 3, healthy: true });
    expect(lost.warnings).toEqual([expect.stringMatching(/ca\.key is gone.*cannot start again.*: regctl up$/)]);
    expect(await command("up")).toMatchObject({ exitCode: 0 });
    expect(await command("up")).toMatchObject({ exitCode: 0, stdout: "no changes\n" });
    const seen = await status(0);
    expect(seen).toMatchObject({ exitCode: 0, healthy: true, warnings: [] });
    expect(seen.notes).toEqual([expect.stringMatching(/ca\.key is missing.*put it back from a backup/)]);
    expect(await command("certs renew --if-due")).toMatchObject({ exitCode: 0 });
    expect(await command("certs renew --if-due", 300)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/ca\.key is missing[\s\S]*backup/),
    });
  });
});

describe("status by the calendar", () => {
  it("warns at 30 and 7 days and of the end with exit 3 and the command, and a year ahead of the authority's", async () => {
    const { status, command } = over(await made());
    expect(await status(366)).toMatchObject({ exitCode: 0, warnings: [], notes: [] });
    const soon = await status(368);
    expect(soon).toMatchObject({ exitCode: 3, healthy: true });
    expect(soon.warnings).toEqual([
      expect.stringMatching(/^the certificate expires in 28 days, on .*: regctl certs renew$/),
    ]);
    expect((await status(391)).warnings).toEqual([expect.stringMatching(/^URGENT: the certificate expires in 5 days/)]);
    const gone = await status(400);
    expect(gone).toMatchObject({ exitCode: 3, healthy: false });
    expect(gone.problems).toContainEqual(
      expect.stringMatching(/^the certificate is expired since 20.*: regctl certs renew$/),
    );
    expect((await command("status", 400)).stdout).toMatch(/Certificate: +EXPIRED/);
  });

  it("tells of the authority's end a year ahead", async () => {
    const deployment = await made();
    const { status, command } = over(deployment);
    await agedAuthority(deployment, 350);
    expect(await command("certs renew")).toMatchObject({ exitCode: 0 });
    const year = await status(0);
    expect(year).toMatchObject({ exitCode: 0, warnings: [] });
    expect(year.notes).toEqual([expect.stringMatching(/^the authority .* ends in 349 days/)]);
    const last = await status(347);
    expect(last.exitCode).toBe(3);
    expect(last.warnings).toEqual([
      expect.stringMatching(
        /^URGENT: the certificate expires in 2 days, .*its authority ends with it: .*: regctl certs rollover$/,
      ),
      expect.stringMatching(/^URGENT: the authority .* expires in 2 days/),
    ]);
  });
});

describe("the days", () => {
  const info = (life: number) => ({
    notBefore: "2026-01-01T00:00:00Z",
    notAfter: new Date(Date.parse("2026-01-01T00:00:00Z") + life * DAY_MS).toISOString(),
  });

  it("of renewal come before those of warnings, and a new certificate is never due", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 4000 }), (life) => {
        const below = renewBelowDays(info(life));
        const { soon, urgent } = warnBelowDays(info(life));
        expect(lifetimeDays(info(life))).toBeCloseTo(life, 6);
        expect(below).toBeLessThanOrEqual((life * 2) / 3);
        expect(below).toBeGreaterThanOrEqual(Math.floor(soon));
        expect(urgent).toBeLessThan(soon);
      }),
    );
  });

  it.each([
    [397, 132, 30, 7],
    [90, 30, 30, 7],
    [45, 30, 15, 3.75],
    [825, 275, 30, 7],
  ])("of a life of %d: renewed below %d, warned at %d and %d", (life, below, soon, urgent) => {
    expect(renewBelowDays(info(life))).toBe(below);
    expect(warnBelowDays(info(life))).toEqual({ soon, urgent });
  });
});
