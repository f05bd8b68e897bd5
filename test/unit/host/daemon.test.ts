import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandResult, RunCommand } from "../../../src/host/command.ts";
import { findEngineInstall, type StartEngineOptions, startEngine } from "../../../src/host/daemon.ts";

let directory: string;
const pids: number[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-daemon-"));
});
afterEach(async () => {
  for (const pid of pids.splice(0)) process.kill(pid, "SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function makeProgram(name: string, body: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const noRun: RunCommand = () => Promise.reject(new Error("no command was expected"));

function withoutSystemd(dockerdPath: string, more: Partial<StartEngineOptions> = {}): StartEngineOptions {
  const ready = join(directory, "ready");
  return {
    run: noRun,
    isReady: async () => existsSync(ready),
    env: { READY: ready },
    dockerdPath,
    logFile: join(directory, "dockerd.log"),
    systemdDirectory: join(directory, "no-systemd"),
    ...more,
  };
}

describe("findEngineInstall", () => {
  it("finds the first dockerd that can be run", async () => {
    await mkdir(join(directory, "a"));
    await writeFile(join(directory, "a", "dockerd"), "", { mode: 0o644 });
    const dockerdPath = await makeProgram("dockerd", ":");
    expect(await findEngineInstall(`${join(directory, "a")}:${directory}`)).toEqual({ dockerdPath });
  });

  it("finds none where there is none", async () => {
    expect(await findEngineInstall(directory)).toBeUndefined();
  });
});

describe("startEngine without systemd", () => {
  it("leaves the engine running in a session of its own, logging to a file others cannot read", async () => {
    const program = await makeProgram("dockerd", 'echo up; env; echo > "$READY"; exec sleep 300');
    const started = await startEngine(withoutSystemd(program));
    pids.push(started.pid!);
    expect(started).toMatchObject({ startedBy: "regctl", survivesReboot: false });
    const [, , , , , session] = (await readFile(`/proc/${started.pid}/stat`, "utf8")).split(" ");
    expect(Number(session)).toBe(started.pid);
    const log = join(directory, "dockerd.log");
    expect((await stat(log)).mode & 0o777 & ~0o640).toBe(0);
    const text = await readFile(log, "utf8");
    expect(text).toContain("up\n");
    expect(text).not.toContain("HOME=");
  });

  it("tells the last lines of an engine that ends at once, and none of an earlier run", async () => {
    await writeFile(join(directory, "dockerd.log"), "an old line\n");
    const program = await makeProgram(
      "dockerd",
      "echo starting; echo 'failed to start daemon: cgroup missing' >&2; exit 1",
    );
    await expect(startEngine(withoutSystemd(program))).rejects.toMatchObject({
      code: "engine-unreachable",
      message: "cannot start the Docker engine: it ended at once with 1",
      issues: [{ message: "starting" }, { message: "failed to start daemon: cgroup missing" }],
      hint: expect.stringContaining("dockerd.log"),
    });
  });

  it("tells that dockerd cannot be run", async () => {
    await expect(startEngine(withoutSystemd(join(directory, "missing")))).rejects.toMatchObject({
      code: "engine-unreachable",
    });
  });

  it("does not wait for ever", async () => {
    const program = await makeProgram("dockerd", `echo $$ > ${join(directory, "pid")}; exec sleep 300`);
    await expect(startEngine(withoutSystemd(program, { readyWithinMs: 300 }))).rejects.toMatchObject({
      code: "engine-unreachable",
      message: expect.stringContaining("does not answer"),
    });
    pids.push(Number(await readFile(join(directory, "pid"), "utf8")));
  });

  it("stops waiting when aborted", async () => {
    const abort = new AbortController();
    const program = await makeProgram("dockerd", `echo $$ > ${join(directory, "pid")}; exec sleep 300`);
    const starting = startEngine(withoutSystemd(program, { signal: abort.signal }));
    const outcome = expect(starting).rejects.toMatchObject({ code: "interrupted" });
    await vi.waitFor(async () => expect(Number(await readFile(join(directory, "pid"), "utf8"))).toBeGreaterThan(1), {
      interval: 10,
    });
    abort.abort();
    await outcome;
    pids.push(Number(await readFile(join(directory, "pid"), "utf8")));
  });

  it("says whose log file cannot be written", async () => {
    const logFile = join(directory, "no", "such", "dockerd.log");
    await expect(startEngine(withoutSystemd("dockerd", { logFile }))).rejects.toThrow(logFile);
  });
});

describe("startEngine with systemd", () => {
  const answers = (table: Readonly<Record<string, Partial<CommandResult>>>, seen: string[]): RunCommand => {
    return async (file, args) => {
      seen.push([file, ...args].join(" "));
      return { exitCode: 0, stdout: "", stderr: "", ...table[file] };
    };
  };

  it("enables and starts the unit", async () => {
    const seen: string[] = [];
    const started = await startEngine({
      run: answers({}, seen),
      isReady: async () => true,
      systemdDirectory: directory,
    });
    expect(started).toEqual({ startedBy: "systemd", survivesReboot: true });
    expect(seen).toEqual(["systemctl enable --now docker"]);
  });

  it("tells what systemd and the journal say when it fails", async () => {
    const run = answers(
      {
        systemctl: { exitCode: 1, stderr: "Job for docker.service failed.\n" },
        journalctl: { stdout: "bad daemon.json\n" },
      },
      [],
    );
    await expect(startEngine({ run, isReady: async () => false, systemdDirectory: directory })).rejects.toMatchObject({
      code: "engine-unreachable",
      issues: [{ message: "Job for docker.service failed." }, { message: "bad daemon.json" }],
    });
  });
});
