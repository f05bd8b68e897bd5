import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { engineProcess, whyNotStarted } from "../../../src/host/engine-process.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

async function hostWith(pid: string, comm: string, argv: readonly string[]) {
  const folder = temporaryDirectory();
  await mkdir(join(folder.path, "run"));
  await mkdir(join(folder.path, "proc/41"), { recursive: true });
  await writeFile(join(folder.path, "run/docker.pid"), pid);
  await writeFile(join(folder.path, "proc/41/comm"), `${comm}\n`);
  await writeFile(join(folder.path, "proc/41/cmdline"), argv.map((word) => `${word}\0`).join(""));
  return folder;
}

it.each([
  [["dockerd", "-H", "fd://", "--config-file", "/a b.json"], "/a b.json"],
  [["dockerd", "--config-file=/c.json", "-D"], "/c.json"],
  [["dockerd"], undefined],
])("tells how the engine was started: %j", async (argv, configurationFile) => {
  await using host = await hostWith("41", "dockerd", argv);
  expect(await engineProcess(host.path)).toEqual({ pid: 41, options: argv.slice(1), configurationFile });
});

it.each([
  ["41", "bash"],
  ["42", "dockerd"],
  ["", "dockerd"],
  ["0", "dockerd"],
])("knows none when the file of its process id says %j and that is %s", async (pid, comm) => {
  await using host = await hostWith(pid, comm, ["dockerd"]);
  expect(await engineProcess(host.path)).toBeUndefined();
});

const file = "/etc/docker/daemon.json";
const { signal } = new AbortController();
const saying = (exitCode: number, stderr: string) => async () => ({ exitCode, stdout: "", stderr });

it.each([
  [`unable to configure the Docker daemon with file ${file}: EOF\n`, 1, "EOF"],
  ["Status: unknown flag: --validate\nSee 'dockerd --help'., Code: 125\n", 1, undefined],
  ["configuration OK\n", 0, undefined],
])("takes from %j, exit code %i, %j", async (said, exitCode, why) => {
  expect(await whyNotStarted(saying(exitCode, said), file, signal)).toBe(why);
});

it("says nothing without a dockerd", async () => {
  const run: typeof runCommand = (_file, args, options) => runCommand("/nowhere/dockerd", args, options);
  expect(await whyNotStarted(run, file, signal)).toBeUndefined();
});
