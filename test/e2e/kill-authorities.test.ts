/** kill -9 in the middle of what changes authorities: the next command ends where an undisturbed run would, and all serves. */
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { curl } from "../support/clients.ts";
import { deployed, edit, jsonOf } from "../support/e2e-deployment.ts";
import { KILL_EVERY_WITH_ENGINE, killAt, type Step, sampled, stepsOf } from "../support/kill-at.ts";
import type { Scenario } from "../support/scenario.ts";

interface Killed {
  readonly args: (one: Scenario) => readonly string[];
  /** Brings the place to where the command has its work to do. */
  readonly again: (one: Scenario) => Promise<unknown>;
  /** The command after the kill. */
  readonly next: readonly string[];
  /** What has to hold then. */
  readonly check: (one: Scenario) => Promise<void>;
}

/** Only what others can see; in between nothing has changed. */
const visible = ({ kind }: Step): boolean => ["rename", "rm", "engine"].includes(kind);

const tell = (one: Scenario): string => join(one.directory, "..", "client");

/** /v2/ to a client that knows that authority alone, with regctl's own certificate where one is wanted. */
async function answerTo(one: Scenario, caFile: string): Promise<number> {
  const file = join(one.directory, ".regctl/own-client.json");
  if (!existsSync(file)) return (await curl(`https://localhost:${one.port}/v2/`, { caFile })).status;
  const { certificate, key } = JSON.parse(await readFile(file, "utf8")) as { certificate: string; key: string };
  const clientFolder = join(one.directory, "..");
  await writeFile(join(clientFolder, "client.cert"), certificate);
  await writeFile(join(clientFolder, "client.key"), key, { mode: 0o600 });
  return (await curl(`https://localhost:${one.port}/v2/`, { caFile, clientFolder })).status;
}

async function killAfterSteps({ args, again, next, check }: Killed): Promise<number> {
  await using one = await deployed();
  await edit(one.directory, /^ {2}mode: own-ca$/m, "  mode: own-ca\n  clientAuth: required");
  await one.must(["up"]);
  await again(one);
  const { result, steps } = await stepsOf(args(one), { cwd: one.directory });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  await check(one);
  const numbers = sampled(steps.filter(visible), 2 * KILL_EVERY_WITH_ENGINE);
  const failures: string[] = [];
  for (const { number, kind, what } of numbers) {
    await again(one);
    const killed = await killAt(number, args(one), { cwd: one.directory });
    if (killed.result.signal === undefined) continue;
    try {
      const after = await one.regctl(next);
      expect(after, after.stderr).toMatchObject({ exitCode: 0 });
      await check(one);
      expect(await one.must(["up"])).toMatchObject({ stdout: "no changes\n" });
    } catch (error) {
      failures.push(`after step ${number} (${kind} ${what}): ${error instanceof Error ? error.message : error}`);
    }
  }
  expect(failures).toEqual([]);
  return numbers.length;
}

const rollover = (one: Scenario) => jsonOf<{ rollover: unknown }>(one, ["certs", "rollover"]);
const finish = (one: Scenario) => one.must(["certs", "rollover", "--finish", "--yes"]);
const certs = (one: Scenario, file: string): string => join(one.directory, "certs", file);

/** Nothing of a rollover is left. */
async function isOver(one: Scenario): Promise<void> {
  for (const file of ["certs/ca-previous.crt", "certs/ca-cross.crt", "certs/ca-next.crt", ".regctl/idle-ca.key"])
    expect(existsSync(join(one.directory, file)), file).toBe(false);
  expect(await answerTo(one, one.caFile)).toBe(401);
}

describe.concurrent("a kill after what can be seen", { timeout: 900_000 }, () => {
  it("of certs rollover: it goes on, and clients with either authority are served", async () => {
    const kills = await killAfterSteps({
      args: () => ["certs", "rollover"],
      again: finish,
      next: ["certs", "rollover"],
      check: async (one) => {
        for (const file of ["ca.crt", "ca-previous.crt"]) expect(await answerTo(one, certs(one, file)), file).toBe(401);
      },
    });
    expect(kills).toBeGreaterThan(0);
  });

  it("of --finish and --abort: one authority is left, and it serves", async () => {
    for (const flag of ["--finish", "--abort"]) {
      const kills = await killAfterSteps({
        args: () => ["certs", "rollover", flag, "--yes"],
        again: rollover,
        next: flag === "--finish" ? ["certs", "rollover", flag, "--yes"] : ["up"],
        check: async (one) => {
          // Killed before its first change, --abort has not begun, and `up` leaves the rollover under way.
          if (flag === "--abort" && existsSync(certs(one, "ca-previous.crt")))
            await one.must(["certs", "rollover", flag, "--yes"]);
          await isOver(one);
        },
      });
      expect(kills).toBeGreaterThan(0);
    }
  });

  it("of certs client and certs revoke: who is listed is accepted, and nobody else", async () => {
    const status = async (one: Scenario): Promise<string> => {
      const { clients } = await jsonOf<{ clients: { name: string; state: string }[] }>(one, ["certs", "clients"]);
      return clients.at(-1)?.state ?? "none";
    };
    const shown = async (one: Scenario): Promise<number> =>
      (await curl(`https://localhost:${one.port}/v2/`, { caFile: one.caFile, clientFolder: tell(one) })).status;
    const given = await killAfterSteps({
      args: (one) => ["certs", "client", "ci", "-o", tell(one)],
      again: (one) => rm(tell(one), { recursive: true, force: true }),
      next: ["up"],
      check: async (one) => {
        const { clients } = await jsonOf<{ clients: { sha256: string }[] }>(one, ["certs", "clients"]);
        if (!existsSync(join(tell(one), "client.cert"))) return;
        const { X509Certificate } = await import("node:crypto");
        const { fingerprint256 } = new X509Certificate(await readFile(join(tell(one), "client.cert")));
        // A pair that never got into the register is no use to anybody, and the next run takes its place.
        expect(await shown(one)).toBe(clients.some(({ sha256 }) => sha256 === fingerprint256) ? 401 : 0);
      },
    });
    const revoked = await killAfterSteps({
      args: () => ["certs", "revoke", "ci"],
      again: async (one) => {
        await rm(tell(one), { recursive: true, force: true });
        await one.must(["certs", "client", "ci", "-o", tell(one)]);
      },
      next: ["certs", "revoke", "ci"],
      check: async (one) => {
        expect(await status(one)).toBe("revoked");
        expect(await shown(one)).toBe(0);
      },
    });
    expect(Math.min(given, revoked)).toBeGreaterThan(0);
  });
});
