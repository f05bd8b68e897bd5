/** The daily job as the host's own programs read it: sh, systemd-analyze, and cron's and systemd's rules for a line. */
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRecord, recordLine, type ScheduledJob, shellLine } from "../../../src/host/schedule.ts";
import {
  cronCommand,
  installCron,
  removeCron,
  renderCronFile,
  withJob,
  withoutJob,
} from "../../../src/host/schedule-cron.ts";
import { parseSystemdTime, renderService, renderTimer, unitQuote } from "../../../src/host/schedule-systemd.ts";
import { runProgram } from "../../support/run-program.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const HOSTILE = `/srv/it's 100% "odd" \\ $HOME \`id\` ; & \\% %h $$ é`;

function jobOf(directory: string, more: Partial<ScheduledJob> = {}): ScheduledJob {
  return {
    id: "regctl-acme",
    directory,
    tasks: ["renew", "gc"],
    program: ["/bin/printf", "%s\\0"],
    runs: [
      ["--dir", directory, "certs", "renew"],
      ["--dir", directory, "gc"],
    ],
    environment: {},
    at: "03:07",
    user: "root",
    logFile: "/dev/stdout",
    ...more,
  };
}

/** What Debian's cron hands to sh (cron 3.0pl1, do_command.c); undefined = it cut the command at a `%`. */
function asCronReads(line: string): string | undefined {
  let text = "";
  for (let at = 0; at < line.length; at++) {
    const [character, next] = [line[at] ?? "", line[at + 1] ?? ""];
    if (character === "%") return undefined;
    const isEscape = character === "\\" && (next === "%" || next === "\\");
    text += isEscape ? next : character;
    if (isEscape) at += 1;
  }
  return text;
}

/** What systemd makes of a quoted word with escaped specifiers and variables (systemd.syntax, systemd.service). */
function asSystemdReads(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(["\\])/g, "$1")
    .replaceAll("%%", "%")
    .replaceAll("$$", "$");
}

const wordsOf = (job: ScheduledJob) => job.runs.flat();

async function runBySh(line: string): Promise<string[]> {
  const { stdout } = await runProgram("/bin/sh", ["-c", line]);
  return stdout.split("\0").slice(0, -1);
}

const anyPath = fc
  .array(fc.constantFrom(..."ab/ '\"%\\$`&;|<>()*?#!~é{}[]\t".split("").filter((one) => one !== "\t")), {
    maxLength: 20,
  })
  .map((characters) => `/srv/${characters.join("")}`);

describe("the line of the job", () => {
  it("reaches the program word by word, whatever the path, through sh, cron and systemd", async () => {
    await using folder = temporaryDirectory();
    const logFile = join(folder.path, "it's 100%.log");
    await fc.assert(
      fc.asyncProperty(anyPath, async (path) => {
        const job = jobOf(path, { logFile });
        expect(asSystemdReads(unitQuote(shellLine(job)))).toBe(shellLine(job));
        const line = asCronReads(cronCommand(job));
        expect(line).toBeDefined();
        await rm(logFile, { force: true });
        await runBySh(line ?? "");
        const words = (await readFile(logFile, "utf8")).split("\0");
        expect(words.slice(0, wordsOf(job).length)).toEqual(wordsOf(job));
      }),
      { numRuns: 25 },
    );
    expect(await runBySh(shellLine(jobOf(HOSTILE)))).toEqual(wordsOf(jobOf(HOSTILE)));
  });

  it("has neither a percent sign nor a backslash for ordinary paths, which not every cron reads alike", () => {
    expect(cronCommand(jobOf("/srv/it's mine", { program: ["/usr/bin/node", "/opt/regctl"] }))).not.toMatch(/[%\\]/);
  });

  it("runs every part, and ends as the last failure did", async () => {
    const parts = (...codes: number[]) =>
      shellLine(jobOf("/x", { program: ["/bin/sh", "-c"], runs: codes.map((code) => [`echo ${code}; exit ${code}`]) }));
    for (const [codes, expected] of [
      [[0, 0], 0],
      [[3, 0], 3],
      [[0, 1], 1],
    ] as const)
      expect(await runProgram("/bin/sh", ["-c", parts(...codes)])).toMatchObject({
        exitCode: expected,
        stdout: codes.map((code) => `${code}\n`).join(""),
      });
  });

  it("hands on how to find the engine", async () => {
    const job = jobOf("/x", {
      environment: { DOCKER_HOST: "unix:///run/user/1000/it's.sock" },
      program: ["/bin/sh", "-c"],
      runs: [['printf "%s" "$DOCKER_HOST"']],
    });
    expect((await runProgram("/bin/sh", ["-c", shellLine(job)])).stdout).toBe("unix:///run/user/1000/it's.sock");
  });

  it("is refused where cron would cut it", () => {
    expect(() => renderCronFile(jobOf(`/srv/${"long/".repeat(100)}`))).toThrow(/longer than cron accepts/);
  });
});

describe("units", () => {
  it.runIf(existsSync("/usr/bin/systemd-analyze"))("satisfy systemd-analyze, also with a hostile path", async () => {
    await using folder = temporaryDirectory();
    for (const directory of ["/srv/registry", HOSTILE]) {
      const job = jobOf(directory, { program: ["/bin/true"] });
      const files = [join(folder.path, "regctl-acme.service"), join(folder.path, "regctl-acme.timer")] as const;
      await writeFile(files[0], renderService(job));
      await writeFile(files[1], renderTimer(job));
      const result = await runProgram("systemd-analyze", ["verify", "--man=no", "--recursive-errors=no", ...files]);
      expect(result.stderr.split("\n").filter((line) => line.includes("regctl"))).toEqual([]);
      expect(result).toMatchObject({ exitCode: 0 });
    }
    const calendar = /^OnCalendar=(.*)$/m.exec(renderTimer(jobOf("/x")))?.[1] ?? "";
    const { stdout } = await runProgram("systemd-analyze", ["calendar", calendar]);
    expect(stdout).toContain("Normalized form: *-*-* 03:07:00");
    await writeFile(join(folder.path, "regctl-bad.service"), "[Service]\nExecStart=nothing\nNoSuchKey=1\n");
    const bad = await runProgram("systemd-analyze", ["verify", "--man=no", join(folder.path, "regctl-bad.service")]);
    expect(bad.stderr).toContain("regctl-bad.service");
  });

  it("read systemd's times, written for programs or for people", () => {
    expect(parseSystemdTime("@1764385020")).toBe("2025-11-29T02:57:00.000Z");
    expect(parseSystemdTime("Sat 2025-11-29 02:57:00 UTC")).toBe("2025-11-29T02:57:00.000Z");
    for (const nothing of [undefined, "", "n/a", "@0"]) expect(parseSystemdTime(nothing)).toBeUndefined();
  });
});

describe("a crontab", () => {
  it("keeps every other line, and is the same after install and remove", () => {
    const line = fc.constantFrom("", "# mine", "* * * * * echo 100\\%", "MAILTO=me", "# regctl schedule end");
    fc.assert(
      fc.property(fc.array(line), anyPath, anyPath, (lines, one, other) => {
        fc.pre(one !== other);
        const before = lines.map((text) => `${text}\n`).join("");
        const installed = withJob(before, jobOf(one));
        expect(withJob(installed, jobOf(one))).toBe(installed);
        expect(withJob(installed, jobOf(one, { at: "04:00" }))).toContain("\n0 4 * * * ");
        const both = withJob(installed, jobOf(other));
        expect(withoutJob(withoutJob(both, one), other)).toBe(before);
        expect(withoutJob(both, other)).toBe(installed);
      }),
    );
  });

  it("is seen by a running cron after every change, however many a second, since cron compares times by the second", async () => {
    await using folder = temporaryDirectory();
    const cron = join(folder.path, "etc/cron.d");
    await mkdir(cron, { recursive: true });
    const host = { run: runProgram, isRoot: true, signal: new AbortController().signal, root: folder.path };
    const second = (path: string) => Math.floor(statSync(path).mtimeMs / 1000);
    const seen = [second(cron)];
    const seenFiles: number[] = [];
    for (const at of ["04:00", "05:00", "06:00"]) {
      expect(await installCron(host, jobOf("/srv/a", { at }))).toBe(true);
      seen.push(second(cron));
      seenFiles.push(second(join(cron, "regctl-acme")));
    }
    expect(await installCron(host, jobOf("/srv/a", { at: "06:00" }))).toBe(false);
    expect(await removeCron(host, jobOf("/srv/a"))).toEqual([join(cron, "regctl-acme")]);
    seen.push(second(cron));
    for (const times of [seen, seenFiles]) expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
  });

  it("tells who it is for, and nothing from a line that only looks alike", async () => {
    const { directory, tasks, program, at } = jobOf(HOSTILE);
    expect(parseRecord(recordLine(jobOf(HOSTILE)))).toEqual({ directory, tasks, program, at });
    for (const other of ["", "# regctl schedule", "# regctl schedule {", '# regctl schedule {"directory":1}', "# x {}"])
      expect(parseRecord(other)).toBeUndefined();
    await using folder = temporaryDirectory();
    await mkdir(join(folder.path, "d"));
    await writeFile(join(folder.path, "d/file"), renderCronFile(jobOf("/srv/a")));
    expect((await readFile(join(folder.path, "d/file"), "utf8")).split("\n")[3]).toMatch(
      /^7 3 \* \* \* root umask 077; /,
    );
  });
});
