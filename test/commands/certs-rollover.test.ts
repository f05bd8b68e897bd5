import { X509Certificate } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clientAuthorities } from "../../src/operations/trusted-authorities.ts";
import { createAuthority } from "../../src/pki/authority.ts";
import { filesBelow } from "../support/files-below.ts";
import { keep, type Made, made } from "../support/made-deployment.ts";
import { type RunOptions, type RunResult, run } from "../support/run.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const YEAR_MS = 365 * 86_400_000;

interface Rollover {
  readonly outcome: string;
  readonly because: string | null;
  readonly changes: readonly { readonly kind: string; readonly name: string }[];
  readonly rollover: { readonly kind: string; readonly since: string; readonly previousEnds: string } | null;
}

function at({ directory, engine }: Pick<Made, "directory" | "engine">) {
  const command = (line: string, options: RunOptions = {}): Promise<RunResult> =>
    run([...line.split(" "), "-C", directory], { engine, ...options });
  const certs = () => filesBelow(join(directory, "certs"));
  const read = (file: string) => readFile(join(directory, file), "utf8");
  return {
    command,
    certs,
    read,
    leaf: async () => new X509Certificate(await read("certs/domain.crt")),
    data: async <T = Rollover>(line: string, options: RunOptions = {}) => {
      const result = await command(`${line} --json`, options);
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      return (JSON.parse(result.stdout) as { data: T }).data;
    },
    /** What openssl's strictest check says of the served chain to a client that has that authority alone. */
    verdict: async (authority: string): Promise<string> => {
      await using folder = temporaryDirectory();
      const caFile = join(folder.path, "ca.crt");
      await writeFile(caFile, authority);
      const served = join(directory, "certs/domain.crt");
      const args = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", caFile, "-untrusted", served, served];
      return (await runProgram("openssl", args)).exitCode === 0 ? "trusted" : "refused";
    },
  };
}

/** An authority that leaves no room for another one. */
async function narrowAuthority(directory: string): Promise<void> {
  const [key, out] = ["-keyout", "-out"].map((flag, index) => [
    flag,
    join(directory, index === 0 ? "certs/ca.key" : "certs/ca.crt"),
  ]) as [string[], string[]];
  const extensions = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign"];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "900", "-subj", "/CN=narrow"];
  await mustRun("openssl", [...made, ...added, ...key, ...out]);
}

describe("certs rollover", { timeout: 60_000 }, () => {
  it("cross-signs the new authority, keeps the cross certificate until --finish, and then is the new one's alone", async () => {
    const deployment = await made();
    const { command, certs, data, verdict, read } = at(deployment);
    const [old, oldKey, before] = [await read("certs/ca.crt"), await read("certs/ca.key"), await certs()];

    const planned = await data("certs rollover --dry-run");
    expect(await certs()).toEqual(before);
    const begun = await data("certs rollover");
    expect(begun).toMatchObject({ outcome: "begun", because: null, rollover: { kind: "cross-signed" } });
    for (const { name } of planned.changes) expect(begun.changes.map((change) => change.name)).toContain(name);
    expect(begun.changes).toContainEqual(
      expect.objectContaining({ kind: "container", name: "acme-registry-1", because: "certificate changed" }),
    );
    expect(Math.abs(Date.parse(begun.rollover?.since ?? "") - Date.now())).toBeLessThan(60_000);

    const fresh = await read("certs/ca.crt");
    expect(new X509Certificate(fresh).subject).not.toBe(new X509Certificate(old).subject);
    for (const authority of [old, fresh]) expect(await verdict(authority)).toBe("trusted");
    expect(await clientAuthorities(deployment.directory)).toEqual({ current: [fresh], previous: [old] });
    expect(await read(".regctl/idle-ca.key")).toBe(oldKey);
    expect((await command("certs ca")).stdout).toBe(fresh);

    const files = await certs();
    const again = await data("certs rollover");
    expect(again).toMatchObject({ outcome: "under-way", changes: [], rollover: begun.rollover });
    expect(await certs()).toEqual(files);
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
    const shown = await command("status");
    expect(shown).toMatchObject({ exitCode: 0 });
    expect(shown.stdout).toMatch(/CA rollover since \d{4}-\d\d-\d\d.*`regctl certs rollover --finish`/);

    for (const line of ["certs renew", "certs issue other.test"]) {
      expect(await command(line)).toMatchObject({ exitCode: 0 });
      for (const authority of [old, fresh]) expect(await verdict(authority)).toBe("trusted");
    }
    const leafOnly = (await read("certs/domain.crt")).replace(/(-----END CERTIFICATE-----\n)[\s\S]*$/, "$1");
    await writeFile(join(deployment.directory, "certs/domain.crt"), leafOnly);
    expect(await verdict(old)).toBe("refused");
    expect((await command("up")).stderr).toContain("clients that know the previous authority only would refuse it");
    expect(await verdict(old)).toBe("trusted");

    const refused = await command("certs rollover --finish");
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/Clients that trust it alone are refused.*\n {2}hint: pass --yes/);
    expect(await data("certs rollover --finish --yes")).toMatchObject({ outcome: "finished", rollover: null });
    expect(await verdict(fresh)).toBe("trusted");
    expect(await verdict(old)).toBe("refused");
    expect(Object.keys(await certs())).toEqual(["ca.crt", "ca.key", "domain.crt", "domain.key"]);
    expect(Object.keys(await filesBelow(join(deployment.directory, ".regctl")))).not.toContain("idle-ca.key");
    expect(await data("certs rollover --finish --yes")).toMatchObject({ outcome: "none", changes: [] });
    expect((await command("status")).stderr).toBe("");
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
  });

  it("--abort goes back to the old authority", async () => {
    const deployment = await made();
    const { command, data, verdict, read } = at(deployment);
    const [old, oldKey] = [await read("certs/ca.crt"), await read("certs/ca.key")];
    expect(await command("certs rollover --abort --yes")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("no rollover is under way"),
    });
    await data("certs rollover");
    const planned = await data("certs rollover --abort --dry-run");
    expect(planned.changes.map(({ name }) => name)).toContain("certs/ca-cross.crt");
    expect(await data("certs rollover --abort --yes")).toMatchObject({ outcome: "aborted", rollover: null });
    expect([await read("certs/ca.crt"), await read("certs/ca.key")]).toEqual([old, oldKey]);
    expect(await verdict(old)).toBe("trusted");
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });

    await data("certs rollover");
    await rm(join(deployment.directory, ".regctl/idle-ca.key"));
    const refused = await command("certs rollover --abort --yes");
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/the key of the old CA, is missing.*\n {2}hint: .*--finish/);
  });

  it.each<[string, (directory: string) => Promise<unknown>, RegExp]>([
    ["its key is lost", (directory) => rm(join(directory, "certs/ca.key")), /ca.key is missing/],
    ["it leaves no room for another one", narrowAuthority, /pathlen:0/],
  ])("has clients trust both authorities first where %s", async (_, spoil, because) => {
    const deployment = await made();
    const { command, data, verdict, read } = at(deployment);
    await spoil(deployment.directory);
    await command("up");
    const [old, served] = [await read("certs/ca.crt"), await read("certs/domain.crt")];
    const begun = await data("certs rollover");
    expect(begun).toMatchObject({
      outcome: "begun",
      because: expect.stringMatching(because),
      rollover: { kind: "overlap" },
    });
    expect(begun.changes.map(({ name }) => name)).toEqual(["certs/ca-next.crt"]);
    expect([await read("certs/ca.crt"), await read("certs/domain.crt")]).toEqual([old, served]);
    const next = await read("certs/ca-next.crt");
    expect((await command("certs ca")).stdout).toBe(old + next);
    expect(await clientAuthorities(deployment.directory)).toEqual({ current: [old, next], previous: [] });
    expect((await command("certs")).stderr).toMatch(/give both CAs to every client.*--finish/);
    expect(await data("certs rollover")).toMatchObject({ outcome: "under-way", changes: [] });

    expect(await data("certs rollover --abort --yes")).toMatchObject({ outcome: "aborted", rollover: null });
    expect(await read("certs/domain.crt")).toBe(served);
    await data("certs rollover");
    const last = await read("certs/ca-next.crt");
    expect(await data("certs rollover --finish --yes")).toMatchObject({ outcome: "finished", rollover: null });
    expect(await verdict(last)).toBe("trusted");
    expect(await verdict(old)).toBe("refused");
    expect(await read("certs/ca.crt")).toBe(last);
    expect(await command("certs renew")).toMatchObject({ exitCode: 0 });
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });
  });

  it("replaces an expired authority at once: no client accepts it any more", async () => {
    const deployment = await made();
    const { command, data, verdict, read, certs } = at(deployment);
    const long = new Date(Date.now() - 11 * YEAR_MS);
    const expired = await createAuthority({ deploymentName: "acme", now: long, keyBits: 2048 });
    await writeFile(join(deployment.directory, "certs/ca.crt"), expired.certificatePem);
    await writeFile(join(deployment.directory, "certs/ca.key"), expired.keyPem.reveal());
    const renewed = await command("certs renew");
    expect(renewed).toMatchObject({ exitCode: 2, stdout: "" });
    expect(renewed.stderr).toMatch(/expired on .*\n {2}hint: .*`regctl certs rollover`/);
    expect((await command("certs")).stderr).toMatch(/the authority .* is expired since .*regctl certs rollover/);
    expect(await data("certs rollover")).toMatchObject({
      outcome: "replaced",
      because: expect.stringContaining("the old CA expired on"),
      rollover: null,
    });
    expect(await verdict(await read("certs/ca.crt"))).toBe("trusted");
    expect(Object.keys(await certs())).toEqual(["ca.crt", "ca.key", "domain.crt", "domain.key"]);
  });

  it("warns a year ahead", async () => {
    const deployment = await made();
    const { command } = at(deployment);
    const later = (years: number) => ({ now: new Date(Date.now() + years * YEAR_MS) });
    expect((await command("certs", later(8.9))).stderr).not.toMatch(/authority/);
    const ending = /the authority .* ends in \d+ days, .*: regctl certs rollover/;
    expect((await command("certs", later(9.5))).stderr).toMatch(ending);
    expect((await command("status", later(9.5))).stdout).toMatch(ending);
  });

  it("--compromised leaves nothing the old key signed, also in the middle of a rollover", async () => {
    const deployment = await made();
    const { command, data, verdict, read, certs } = at(deployment);
    const old = await read("certs/ca.crt");
    await data("certs rollover");
    const middle = await read("certs/ca.crt");
    expect(await command("certs rollover --compromised")).toMatchObject({ exitCode: 2, stdout: "" });
    const result = await command("certs rollover --compromised --yes");
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toMatch(
      /a new CA serves .*\n1\. .*regctl certs ca.*\n2\. remove the old CA from every client/,
    );
    for (const authority of [old, middle]) expect(await verdict(authority)).toBe("refused");
    expect(await verdict(await read("certs/ca.crt"))).toBe("trusted");
    expect(Object.keys(await certs())).toEqual(["ca.crt", "ca.key", "domain.crt", "domain.key"]);
    expect(Object.keys(await filesBelow(join(deployment.directory, ".regctl")))).not.toContain("idle-ca.key");
  });

  it("takes everything back when the registry does not come up with it", async () => {
    const deployment = await made();
    const { command, certs } = at(deployment);
    const before = await certs();
    deployment.engine.silent.add("registry:2");
    for (const line of ["certs rollover", "certs rollover --compromised --yes"]) {
      const result = await command(`${line} --timeout 1`);
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result.stderr).toContain("the old container runs again");
      expect(await certs()).toEqual(before);
      expect(Object.keys(await filesBelow(join(deployment.directory, ".regctl")))).not.toContain("idle-ca.key");
    }
  });

  it("run twice at once makes one authority", async () => {
    const { data, read, verdict } = at(await made());
    const old = await read("certs/ca.crt");
    const results = await Promise.all([data("certs rollover"), data("certs rollover")]);
    expect(results.map(({ outcome }) => outcome).sort()).toEqual(["begun", "under-way"]);
    expect(results[0].rollover).toEqual(results[1].rollover);
    for (const authority of [old, await read("certs/ca.crt")]) expect(await verdict(authority)).toBe("trusted");
  });

  it("changes nothing when the engine does not answer", async () => {
    const { directory } = await made();
    const before = await filesBelow(join(directory, "certs"));
    for (const flags of [[], ["--compromised", "--yes"]]) {
      const result = await run(["certs", "rollover", ...flags, "-C", directory], {
        environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" },
      });
      expect(result).toMatchObject({ exitCode: 4, stdout: "" });
    }
    expect(await filesBelow(join(directory, "certs"))).toEqual(before);
  });

  it("refuses two directions at once, a lost ca.crt, and authorities that are not regctl's", async () => {
    const deployment = await made();
    const { command } = at(deployment);
    expect(await command("certs rollover --finish --abort")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("exclude each other"),
    });
    await rm(join(deployment.directory, "certs/ca.crt"));
    const lost = await command("certs rollover");
    expect(lost).toMatchObject({ exitCode: 2, stdout: "" });
    expect(lost.stderr).toMatch(/ca.crt is missing\n {2}hint: .*from any client/);

    const folder = keep(temporaryDirectory());
    for (const [mode, why] of [
      ["none", /tls.mode is none/],
      ["provided", /was provided/],
    ] as const) {
      await writeFile(join(folder.path, "regctl.yaml"), `tls: { mode: ${mode} }\n`);
      const result = await run(["certs", "rollover", "-C", folder.path]);
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(why);
    }
  });
});
