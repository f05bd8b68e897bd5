import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../../src/host/command.ts";
import { lastLines } from "../../../src/last-lines.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regctl-command-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const isAlive = (pid: number) => existsSync(`/proc/${pid}`) && !isZombie(pid);
function isZombie(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !existsSync(`/proc/${pid}/exe`);
}

async function pidIn(path: string): Promise<number> {
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 5000, interval: 10 });
  return vi.waitFor(
    async () => {
      const pid = Number(await readFile(path, "utf8"));
      expect(pid).toBeGreaterThan(1);
      return pid;
    },
    { timeout: 5000, interval: 10 },
  );
}

describe("runCommand", () => {
  it("returns both streams and the exit code without throwing", async () => {
    const result = await runCommand("sh", ["-c", "echo out; echo err >&2; exit 7"]);
    expect(result).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  it("counts the end by a signal as a shell does", async () => {
    expect((await runCommand("sh", ["-c", "kill -TERM $$"])).exitCode).toBe(143);
  });

  it("passes arguments as they are, with no shell between", async () => {
    const nasty = "$(id) `id` ; > x 'é\"\n*";
    expect((await runCommand("printf", ["%s", nasty])).stdout).toBe(nasty);
  });

  it("hands the command PATH, locale and what the caller names, and nothing of its own environment", async () => {
    process.env.REGCTL_TEST_LEAK = "leaked";
    const { stdout } = await runCommand("env", [], { env: { http_proxy: "http://127.0.0.1:1" } });
    delete process.env.REGCTL_TEST_LEAK;
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["LANG", "LC_ALL", "PATH", "http_proxy"]);
  });

  it("feeds the input and survives a command that does not read it", async () => {
    expect((await runCommand("cat", [], { input: "héllo" })).stdout).toBe("héllo");
    expect((await runCommand("true", [], { input: "x".repeat(1_000_000) })).exitCode).toBe(0);
  });

  it("reports lines as they come, progress lines and an unfinished last one too", async () => {
    const lines: string[] = [];
    await runCommand("printf", ["10%%\\r20%%\\r\\ndone\\n\\nlast"], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(["10%", "20%", "done", "last"]);
  });

  it("says that a program is not installed", async () => {
    await expect(runCommand("regctl-no-such-program", [])).rejects.toMatchObject({
      code: "not-found",
      message: "cannot run regctl-no-such-program: it is not installed",
    });
  });

  it("says that a file may not be run", async () => {
    const file = join(directory, "data");
    await writeFile(file, "", { mode: 0o644 });
    await expect(runCommand(file, [])).rejects.toMatchObject({ code: "permission-denied" });
  });

  it("starts nothing when the signal is aborted already", async () => {
    const file = join(directory, "made");
    await expect(runCommand("touch", [file], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(existsSync(file)).toBe(false);
  });

  it("ends the command and its children when aborted", async () => {
    const abort = new AbortController();
    const file = join(directory, "pid");
    const running = runCommand("sh", ["-c", `sleep 300 & echo $! > ${file}; wait`], { signal: abort.signal });
    const outcome = expect(running).rejects.toMatchObject({ code: "interrupted" });
    const pid = await pidIn(file);
    abort.abort();
    await outcome;
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 10 });
  });

  it("with `interrupt` asks the command alone and waits for what it finishes", async () => {
    const abort = new AbortController();
    const [file, done] = [join(directory, "pid"), join(directory, "done")];
    const script = `trap : INT; (sleep 0.3; echo > ${done}) & echo $$ > ${file}; wait $!; wait`;
    const running = runCommand("sh", ["-c", script], { signal: abort.signal, onAbort: "interrupt" });
    const outcome = expect(running).rejects.toMatchObject({ code: "interrupted" });
    await pidIn(file);
    abort.abort();
    await outcome;
    expect(existsSync(done)).toBe(true);
  });
});

describe("lastLines", () => {
  it("takes the last ones that say something", () => {
    expect(lastLines("a\n\nb  \r\nc\n\n", 2)).toEqual(["b", "c"]);
  });
});
