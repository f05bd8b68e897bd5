/** Ctrl-C and kill: at every call on the engine, and on real processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { freePort } from "../contract/free-port.ts";
import { adoptCertificates } from "../support/adopt-certificates.ts";
import { eventually } from "../support/eventually.ts";
import { loginStatus } from "../support/login.ts";
import { edit, keep, made } from "../support/made-deployment.ts";
import { onEngineCall } from "../support/on-engine-call.ts";
import { REGCTL, regctl } from "../support/regctl.ts";
import { run } from "../support/run.ts";
import { cleanEnvironment } from "../support/run-program.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const INTERRUPTED = /^regctl: interrupted\n {2}hint: run the same command again/m;

function interruption(code: "interrupted" | "terminated"): RegctlError {
  return new RegctlError(code, code, { hint: "run the same command again: it goes on where this one stopped" });
}

interface Subject {
  readonly directory: string;
  readonly port: number;
  readonly engine: ServingEngine;
  readonly argv: readonly string[];
}

async function unmade(): Promise<Subject> {
  const root = keep(temporaryDirectory());
  const directory = join(root.path, "acme");
  await adoptCertificates(directory);
  const port = await freePort();
  const argv = ["init", directory, "--yes", "--port", String(port), "--bcrypt-cost", "5", "--password-stdin"];
  return { directory, port, engine: keep(new ServingEngine()), argv };
}

/** Runs it and interrupts it right before its n-th call on the engine; 0 = never. Resolves to the calls it made. */
async function interruptedAt(n: number, { argv, engine }: Pick<Subject, "argv" | "engine">) {
  const controller = new AbortController();
  const calls: string[] = [];
  const watched = onEngineCall(engine, (number, operation) => {
    calls.push(operation);
    if (number === n) controller.abort(interruption("interrupted"));
  });
  const result = await run(argv, { engine: watched, stdin: "the password", signal: controller.signal });
  return { ...result, calls };
}

async function expectServing({ directory, port, engine }: Subject): Promise<void> {
  const status = await run(["status", "-C", directory], { engine });
  expect(status.exitCode, status.stdout + status.stderr).toBe(0);
  expect(await loginStatus({ directory, port }, "admin", "the password")).toBe(200);
  expect((await engine.containers.list({})).map(({ name }) => name)).toEqual(["acme-registry-1"]);
  expect(await readdir(join(directory, ".regctl/journal"))).toEqual([]);
}

describe("Ctrl-C during init", () => {
  it("at any call on the engine ends it with 130, and the same command then completes", {
    timeout: 60_000,
  }, async () => {
    const undisturbed = await unmade();
    const { calls, exitCode } = await interruptedAt(0, undisturbed);
    expect(exitCode).toBe(0);
    await expectServing(undisturbed);
    expect(calls).toContain("containers.start");

    for (const [index, call] of calls.entries()) {
      const subject = await unmade();
      const at = `before call ${index + 1}, ${call}`;
      const stopped = await interruptedAt(index + 1, subject);
      expect(stopped.exitCode, at).toBe(130);
      expect(stopped.stdout, at).toBe("");
      expect(stopped.stderr, at).toMatch(INTERRUPTED);
      const again = await interruptedAt(0, subject);
      expect(again.exitCode, `${at}: ${again.stderr}`).toBe(0);
      await expectServing(subject);
    }
  });

  it("before anything was written leaves nothing", async () => {
    const subject = await unmade();
    expect((await interruptedAt(1, subject)).exitCode).toBe(130);
    expect(await readdir(subject.directory)).toEqual(["certs"]);
  });

  it("before it began is noticed", async () => {
    const { argv, engine } = await unmade();
    const signal = AbortSignal.abort(interruption("interrupted"));
    expect(await run(argv, { engine, signal, stdin: "x" })).toMatchObject({ exitCode: 130, stdout: "" });
  });

  it("is reported as JSON, and as 143 for SIGTERM", async () => {
    const { argv, engine } = await unmade();
    const signal = AbortSignal.abort(interruption("terminated"));
    const result = await run([...argv, "--json"], { engine, signal, stdin: "x" });
    expect(result).toMatchObject({ exitCode: 143, stdout: "" });
    expect(JSON.parse(result.stderr)).toMatchObject({
      error: { code: "terminated", hint: expect.stringContaining("again") },
    });
  });
});

describe("Ctrl-C during up", () => {
  it("at any call on the engine leaves what the next up finishes", { timeout: 60_000 }, async () => {
    const prepare = async (): Promise<Subject> => {
      const { directory, engine, port } = await made();
      await run(["passwd", "admin", "--password-stdin", "-C", directory], { stdin: "the password" });
      await edit(directory, "level: info", "level: debug");
      return { directory, engine, port, argv: ["up", "-C", directory] };
    };
    const { calls } = await interruptedAt(0, await prepare());
    for (const [index, call] of calls.entries()) {
      const subject = await prepare();
      const stopped = await interruptedAt(index + 1, subject);
      const at = `before call ${index + 1}, ${call}: ${stopped.stderr}`;
      expect([0, 130], at).toContain(stopped.exitCode);
      if (stopped.exitCode === 130) expect(stopped.stderr, at).toMatch(INTERRUPTED);
      const again = await interruptedAt(0, subject);
      expect(again.exitCode, at).toBe(0);
      // The last call may be past the last look at the signal; then all of it is done.
      if (stopped.exitCode === 0) expect(again.stdout, at).toBe("no changes\n");
      await expectServing(subject);
      expect((await interruptedAt(0, subject)).stdout).toBe("no changes\n");
    }
  });
});

describe("a process that waits for another one", () => {
  const root = temporaryDirectory();
  const children: ChildProcess[] = [];
  keep(root);
  keep({
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
    },
  });

  beforeAll(async () => {
    await regctl(["--version"]);
    await mkdir(join(root.path, ".regctl"), { mode: 0o700 });
    await writeFile(join(root.path, "regctl.yaml"), "port: 6000\n");
    const lock = join(root.path, ".regctl/lock");
    await writeFile(lock, "regctl gc (pid 1, since 2026-01-01T00:00:00.000Z)\n");
    const holder = spawn("flock", ["--no-fork", lock, "sh", "-c", "echo held; exec sleep 600"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    children.push(holder);
    await once(holder.stdout, "data");
  }, 60_000);

  function waiting(...flags: string[]) {
    const argv = [REGCTL, "adduser", "ci", "-C", root.path, ...flags];
    const child = spawn(process.execPath, argv, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    const written = { text: "" };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        written.text += chunk.toString();
      });
    }
    return { child, written, ended: once(child, "close") as Promise<[number | null, string | null]> };
  }

  it.each([
    ["SIGINT", 130, "interrupted"],
    ["SIGTERM", 143, "terminated"],
    ["SIGHUP", 143, "terminated"],
  ] as const)("ends at %s with %i and says so", async (signal, exitCode, word) => {
    const { child, written, ended } = waiting();
    await eventually(() => written.text.includes("waiting for regctl gc (pid 1, "));
    child.kill(signal);
    expect(await ended).toEqual([exitCode, null]);
    expect(written.text).toContain(`regctl: ${word}\n  hint: run the same command again`);
    expect(await readFile(join(root.path, ".regctl/lock"), "utf8")).toContain("regctl gc (pid 1, ");
  });

  it("gives up after --timeout, with 5, and names who holds the lock", async () => {
    const { written, ended } = waiting("--timeout", "1", "--json");
    expect(await ended).toEqual([5, null]);
    const { error } = JSON.parse(written.text) as { error: { code: string; message: string; hint: string } };
    expect(error).toMatchObject({ code: "locked", message: expect.stringContaining("regctl gc (pid 1, ") });
    expect(error.hint).toContain("--timeout");
  });
});
