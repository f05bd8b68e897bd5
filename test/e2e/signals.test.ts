/** Ctrl-C, SIGTERM and a second regctl at the same time: what was begun is completed, once. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startRegctl } from "../support/e2e-background.ts";
import { answer, deployed, edit, onlyContainer, place, quickFlags, registryImage } from "../support/e2e-deployment.ts";
import { stateOf } from "../support/e2e-state.ts";
import { mustRun, runProgram } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

async function serves(one: Scenario): Promise<void> {
  expect(await answer(one)).toBe(200);
}

describe("signals and company", () => {
  /** An image whose registry never answers, so that regctl waits. */
  async function silentImage(name: string): Promise<AsyncDisposable & { readonly reference: string }> {
    const reference = `regctl-test/silent:2-${name}`;
    const { stdout } = await mustRun("docker", ["create", await registryImage()]);
    const script = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
    const change = `ENTRYPOINT ${JSON.stringify(["/bin/busybox", "sh", "-c", script])}`;
    await mustRun("docker", ["commit", "--change", change, "--change", "CMD []", stdout.trim(), reference]);
    await mustRun("docker", ["rm", stdout.trim()]);
    return {
      reference,
      async [Symbol.asyncDispose]() {
        await runProgram("docker", ["image", "rm", "--force", reference]);
      },
    };
  }

  it("Ctrl-C in the middle of init ends it with 130, and init again completes it", async () => {
    await using one = await place();
    await using silent = await silentImage(one.name);
    const quick = await quickFlags();
    const flags = quick.map((flag, index) => (quick[index - 1] === "--image" ? silent.reference : flag));
    await using running = startRegctl([...one.initArgs, ...flags], {
      cwd: one.directory,
      input: one.credentials.password,
    });
    await running.says("create network");
    await mustRunning(one);
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: 130 });
    expect(running.stderr()).toContain("run the same command again");
    await one.init(quick);
    await serves(one);
    expect((await one.must(["status"])).exitCode).toBe(0);
    await onlyContainer(one);
  });

  it("Ctrl-C in the middle of up ends it with 130, and up again completes it or goes back", async () => {
    await using one = await deployed();
    await using silent = await silentImage(one.name);
    const image = await registryImage();
    await edit(one.directory, `image: ${image}`, `image: ${silent.reference}`);
    await using running = startRegctl(["up"], { cwd: one.directory });
    await mustRunning(one, `${one.name}-registry-1-next`);
    running.kill("SIGINT");
    expect(await running.ended).toMatchObject({ exitCode: 130 });
    await edit(one.directory, `image: ${silent.reference}`, `image: ${image}`);
    await one.must(["up"]);
    await serves(one);
    await onlyContainer(one);
    expect((await one.must(["up"])).stdout).toBe("no changes\n");
  });

  /** Waits until a container of the deployment runs. */
  async function mustRunning(one: Scenario, name?: string): Promise<void> {
    await expect
      .poll(
        async () =>
          (await one.containers()).some(
            ({ Name, State }) => State.Status === "running" && (name === undefined || Name === `/${name}`),
          ),
        { timeout: 60_000, interval: 50 },
      )
      .toBe(true);
  }

  it("two ups at once change it once", async () => {
    await using one = await deployed();
    await edit(one.directory, "level: info", "level: warn");
    const results = await Promise.all([one.must(["up", "--json"]), one.must(["up", "--json"])]);
    const counts = results.map(
      ({ stdout }) => (JSON.parse(stdout) as { data: { changes: unknown[] } }).data.changes.length,
    );
    expect(counts.sort()).toEqual([0, 3]);
    await onlyContainer(one);
    await serves(one);
  });

  it("two inits at once make one deployment, whose password is the one that was shown", async () => {
    await using one = await place();
    const args = [
      "init",
      one.directory,
      "--yes",
      "--json",
      "--name",
      one.name,
      "--port",
      String(one.port),
      ...(await quickFlags()),
    ];
    const results = await Promise.all([one.regctl(args), one.regctl(args)]);
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 5]);
    const shown = results.find(({ exitCode }) => exitCode === 0)?.stdout ?? "";
    const { password } = (JSON.parse(shown) as { data: { password: string } }).data;
    expect(await answer(one, { user: "admin", password })).toBe(200);
    expect((await one.must(["status"])).exitCode).toBe(0);
  });

  it("SIGTERM to one that waits for another ends it with 143, and it has changed nothing", async () => {
    await using one = await deployed();
    await edit(one.directory, "level: info", "level: warn");
    const before = await stateOf(one);
    const lock = join(one.directory, ".regctl/lock");
    const holder = runProgram("flock", [
      lock,
      "sh",
      "-c",
      `until [ -e ${one.directory}/release ]; do sleep 0.05; done`,
    ]);
    try {
      await using waiting = startRegctl(["up"], { cwd: one.directory });
      await waiting.says("waiting for");
      waiting.kill("SIGTERM");
      expect(await waiting.ended).toMatchObject({ exitCode: 143 });
      expect((await one.regctl(["up", "--timeout", "1"])).exitCode).toBe(5);
    } finally {
      await mustRun("touch", [join(one.directory, "release")]);
      await holder;
      await rm(join(one.directory, "release"));
    }
    expect(await stateOf(one)).toEqual(before);
    expect((await one.must(["up"])).exitCode).toBe(0);
  });
});
