/** kill -9 after the steps of every command that changes something: the next command ends where an undisturbed run would. */
import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { adoptCertificates, answer, deployed, edit, keep, place, quickFlags } from "../support/e2e-deployment.ts";
import { containersOfProject, engineRequest, networksOfProject } from "../support/e2e-engine-api.ts";
import { CA_EXTENSIONS, issue, LOCALHOST, leafExtensions } from "../support/e2e-issue.ts";
import { type DeploymentState, stateOf } from "../support/e2e-state.ts";
import { KILL_EVERY_WITH_ENGINE, killAt, type Step, sampled, stepsOf } from "../support/kill-at.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { mustRun } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A command, and what surrounds its kills. */
interface Killed {
  readonly args: (one: Scenario) => readonly string[];
  /** What it reads from stdin. */
  readonly input?: (one: Scenario) => string;
  /** Makes a place in which the command has its work to do. */
  readonly make: () => Promise<Scenario>;
  /** After a run: brings the place to where the command has its work to do again. */
  readonly again: (one: Scenario) => Promise<void>;
  /** How many different states the command leaves in turn. */
  readonly states?: number;
  /** What has to hold besides the equal state. */
  readonly check?: (one: Scenario) => Promise<void>;
  /** The command after the kill, when it is not the same one. */
  readonly next?: readonly string[];
  /** How it may end besides 0: it may find all done. */
  readonly mayEndWith?: number;
  readonly only?: (step: Step) => boolean;
  /** Lines of the state that do not count. */
  readonly except?: RegExp;
}

const TIMEOUT_MS = 900_000;

/** So many deployments are killed side by side: most of a run is waiting. */
const LANES = 3;

/** Resolves to the number of kills; rejects with every step after which the next command went wrong. */
async function killAfterEveryStep(killed: Killed): Promise<number> {
  const failures: string[] = [];
  let queue: number[] | undefined;
  let kills = 0;
  const lane = async (): Promise<void> => {
    await using one = await killed.make();
    const input = killed.input?.(one);
    // What it works in may vanish, what it is started in may not.
    const options = {
      cwd: dirname(one.directory),
      env: { REGCTL_DIR: one.directory },
      ...(input === undefined ? {} : { input }),
    };
    const args = killed.args(one);
    const wanted = new Map<string, DeploymentState>();
    for (let turn = 0; turn < (killed.states ?? 1); turn++) {
      if (turn > 0) await killed.again(one);
      const { result, steps } = await stepsOf(args, options);
      expect(result).toMatchObject({ exitCode: 0 });
      wanted.set(await configOf(one), await comparedState(one, killed));
      const killable = steps.filter(killed.only ?? (() => true));
      queue ??= sampled(killable, KILL_EVERY_WITH_ENGINE).map(({ number }) => number);
    }
    for (let n = queue?.shift(); n !== undefined; n = queue?.shift()) {
      await killed.again(one);
      const { result, steps } = await killAt(n, args, options);
      // The first run may have done more than a later one has to.
      if (result.signal === undefined && result.exitCode === 0) continue;
      kills += 1;
      try {
        expect(result.signal).toBe("SIGKILL");
        const next = await one.regctl(killed.next ?? args, options);
        if (next.exitCode !== killed.mayEndWith) expect(next, next.stderr).toMatchObject({ exitCode: 0 });
        expect(await comparedState(one, killed)).toEqual(wanted.get(await configOf(one)));
        await killed.check?.(one);
      } catch (error) {
        const step = steps.at(-1);
        failures.push(
          `after step ${n} (${step?.kind} ${step?.what}): ${error instanceof Error ? error.message : error}`,
        );
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  expect(failures).toEqual([]);
  return kills;
}

async function configOf(one: Scenario): Promise<string> {
  return readFile(join(one.directory, "regctl.yaml"), "utf8").catch(() => "");
}

async function comparedState(one: Scenario, { except }: Killed): Promise<DeploymentState> {
  const state = await stateOf(one);
  return except === undefined ? state : { ...state, files: state.files.filter((line) => !except.test(line)) };
}

async function serves(one: Scenario): Promise<void> {
  expect(await answer(one)).toBe(200);
}

/** As if the folder had never been a deployment, but for the authority that lies there. */
async function startOver(one: Scenario): Promise<void> {
  for (const { Id } of await containersOfProject(one.name))
    await engineRequest("DELETE", `/containers/${Id}?force=1&v=1`);
  for (const network of await networksOfProject(one.name)) await engineRequest("DELETE", `/networks/${network}`);
  await rm(one.directory, { recursive: true, force: true });
  await adoptCertificates(one.directory);
}

/** What comes before and after is the same in every command. */
const removes = ({ kind }: Step): boolean => ["engine", "rm", "rmdir"].includes(kind);

const up = async (one: Scenario): Promise<void> => void (await one.must(["up"]));

describe("a kill after any step", { timeout: TIMEOUT_MS }, () => {
  it("of init: init again ends with the registry it would have made", async () => {
    const quick = await quickFlags();
    const kills = await killAfterEveryStep({
      args: (one) => [...one.initArgs, ...quick],
      input: (one) => one.credentials.password,
      make: () => place(),
      again: startOver,
      check: serves,
      // After its last steps there is a deployment already, and the init that is refused writes nothing about it.
      mayEndWith: 5,
      except: /^\.regctl\/(audit\.log|lock) /,
    });
    expect(kills).toBeGreaterThan(40 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of init that leaves a regctl.yaml: up ends with the same registry", async () => {
    const quick = await quickFlags();
    let hasConfig = false;
    await killAfterEveryStep({
      args: (one) => [...one.initArgs, ...quick],
      input: (one) => one.credentials.password,
      make: () => place(),
      again: startOver,
      check: serves,
      next: ["up"],
      only: ({ kind, what }) => {
        hasConfig ||= what.endsWith("/regctl.yaml");
        return hasConfig && ["rename", "rm", "engine"].includes(kind);
      },
      // Only init itself says that it is done: it has not shown its closing block yet.
      except: /^\.regctl\/unfinished-init /,
    });
  });

  it("of up after an edit: up again makes the same change, and only one container is left", async () => {
    const toggle = async (one: Scenario): Promise<void> => {
      const isInfo = /level: info/.test(await configOf(one));
      await edit(one.directory, /level: \w+/, isInfo ? "level: warn" : "level: info");
    };
    const kills = await killAfterEveryStep({
      args: () => ["up"],
      make: async () => {
        const one = await deployed();
        await toggle(one);
        return one;
      },
      again: toggle,
      states: 2,
      check: serves,
    });
    expect(kills).toBeGreaterThan(20 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of adduser: the user is there or can be added, and the others still log in", async () => {
    const password = secretForTest();
    const kills = await killAfterEveryStep({
      args: () => ["adduser", "later", "--password-stdin"],
      input: () => password,
      make: () => deployed(),
      again: async (one) => void (await one.must(["rmuser", "later"])),
      check: async (one) => {
        await serves(one);
        expect(await answer(one, { user: "later", password })).toBe(200);
        expect((await readFile(join(one.directory, "auth/htpasswd"), "utf8")).match(/^later:/gm)).toHaveLength(1);
      },
      mayEndWith: 5,
    });
    expect(kills).toBeGreaterThan(8 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of certs renew: renewing again ends with one certificate under the same authority, served", async () => {
    const kills = await killAfterEveryStep({
      args: () => ["certs", "renew"],
      make: () => deployed(),
      again: async () => {},
      check: async (one) => {
        await serves(one);
        await servesItsCertificate(one);
      },
    });
    expect(kills).toBeGreaterThan(20 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of certs renew: up serves whichever certificate the folder has", async () => {
    await killAfterEveryStep({
      args: () => ["certs", "renew"],
      make: () => deployed(),
      again: async () => {},
      check: async (one) => {
        await serves(one);
        await servesItsCertificate(one);
        expect((await one.must(["up"])).stdout).toBe("no changes\n");
      },
      next: ["up"],
      only: ({ kind }) => ["rename", "rm", "engine"].includes(kind),
    });
  });

  it("of certs import: importing again ends with the imported certificate, served, and --undo with the own one", async () => {
    const folder = keep(temporaryDirectory());
    const root = await issue(folder.path, { name: "root", extensions: CA_EXTENSIONS, days: 3650 });
    const given = await issue(folder.path, { name: "leaf", issuer: root, extensions: leafExtensions(LOCALHOST) });
    const own = async (one: Scenario) => {
      if (/^ {2}mode: "provided"/m.test(await configOf(one))) await one.must(["certs", "import", "--undo"]);
      expect(await configOf(one)).toMatch(/^ {2}mode: "own-ca"/m);
      await serves(one);
    };
    const kills = await killAfterEveryStep({
      args: () => ["certs", "import", given.certificate, "--key", given.key, "--ca", root.certificate],
      make: () => deployed(),
      again: own,
      check: async (one) => {
        await serves(one);
        await servesItsCertificate(one);
        expect(await configOf(one)).toMatch(/^ {2}mode: "provided"/m);
      },
      // What is kept of former certificates is named after them; going back leaves those it came from.
      except: /^\.regctl\/certificates/,
    });
    expect(kills).toBeGreaterThan(20 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of down: down again leaves no container and no network", async () => {
    await killAfterEveryStep({ args: () => ["down"], make: () => deployed(), again: up, only: removes });
  });

  it("of destroy: destroy again leaves what is the user's, and nothing else", async () => {
    await killAfterEveryStep({ args: () => ["destroy", "--yes"], make: () => deployed(), again: up, only: removes });
  });

  it("of destroy --data: destroy again leaves nothing", async () => {
    const saved = (one: Scenario) => join(dirname(one.directory), "saved");
    const kills = await killAfterEveryStep({
      args: (one) => ["destroy", "--data", "--yes", "--confirm", one.name],
      make: async () => {
        const one = await deployed();
        await mustRun("cp", ["-a", one.directory, saved(one)]);
        return one;
      },
      again: async (one) => {
        await rm(one.directory, { recursive: true, force: true });
        await mustRun("cp", ["-a", saved(one), one.directory]);
        await up(one);
      },
      // There is no deployment any more.
      mayEndWith: 2,
      only: removes,
    });
    expect(kills).toBeGreaterThan(8 / KILL_EVERY_WITH_ENGINE - 1);
  });

  it("of init that made an authority: it is kept once it is in place", async () => {
    const quick = await quickFlags();
    for (const after of [/ca\.key$/, /regctl\.yaml$/, /containers\/create\?/]) {
      await using one = await place({ adopt: false });
      const args = [...one.initArgs, ...quick];
      const options = { cwd: one.directory, input: one.credentials.password };
      const { steps } = await stepsOf(args, options);
      await startOver(one);
      await rm(join(one.directory, "certs"), { recursive: true });
      const step = steps.find(({ what }) => after.test(what));
      await killAt(step?.number ?? Number.NaN, args, options);
      const key = await readFile(join(one.directory, "certs/ca.key"), "utf8");
      const certificate = await readFile(one.caFile, "utf8").catch(() => undefined);
      await one.must(args, { input: one.credentials.password });
      expect(await readFile(join(one.directory, "certs/ca.key"), "utf8")).toBe(key);
      if (certificate !== undefined) expect(await readFile(one.caFile, "utf8")).toBe(certificate);
      await serves(one);
    }
  });
});

/** The certificate a client is shown is the one in the folder, and its key belongs to it. */
async function servesItsCertificate(one: Scenario): Promise<void> {
  const file = await readFile(join(one.directory, "certs/domain.crt"), "utf8");
  const connect = [
    "s_client",
    "-connect",
    `localhost:${one.port}`,
    "-servername",
    "localhost",
    "-CAfile",
    one.caFile,
    "-verify_return_error",
  ];
  const { stdout } = await mustRun("openssl", connect);
  expect(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout)?.[0]).toBe(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(file)?.[0],
  );
}
