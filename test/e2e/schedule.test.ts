/** The daily job, run by Debian's own cron daemon in a host of its own, from a folder with the worst of names. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cronNamespace } from "../support/cron-namespace.ts";
import { adoptCertificates } from "../support/e2e-deployment.ts";
import { eventually } from "../support/eventually.ts";
import { filesBelow } from "../support/files-below.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = `it's 100% "odd" \\ $HOME \\%`;

interface Shown {
  readonly installed: boolean;
  readonly changed?: boolean;
  readonly by: string | null;
  readonly willRun: boolean;
  readonly why: string | null;
  readonly lastRun: { readonly at: string; readonly exitCode: number } | null;
}

/** The minute after this one, or the one after that when this one is nearly over. */
function soon(): string {
  const at = new Date(Date.now() + (new Date().getSeconds() > 45 ? 120_000 : 60_000));
  return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}

it("is run by cron at its time, tells how it ended, and leaves nothing when it is removed", async () => {
  await using folder = temporaryDirectory();
  await using host = await cronNamespace();
  const directory = join(folder.path, NAME);
  await mkdir(directory);
  await adoptCertificates(directory);
  const made = await host.regctl(["init", directory, "--name", "odd", "--yes", "--no-start", "--bcrypt-cost", "5"]);
  expect(made, made.stderr).toMatchObject({ exitCode: 0 });
  const schedule = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await host.regctl(["-C", directory, "certs", "schedule", ...args, "--json"]);
    return { exitCode, stderr, data: (stdout === "" ? {} : (JSON.parse(stdout) as { data: unknown }).data) as Shown };
  };
  expect(await schedule("show")).toMatchObject({ exitCode: 3, data: { installed: false, willRun: false } });
  const before = Object.keys(await filesBelow(directory));

  const idle = await schedule("install", "--at", "04:00", "--gc");
  expect(idle).toMatchObject({ exitCode: 0, data: { changed: true, by: "cron", willRun: false } });
  expect(idle.stderr).toContain("no cron daemon runs on this host");
  await host.startCron();
  const at = soon();
  expect(await schedule("install", "--at", at)).toMatchObject({
    exitCode: 0,
    data: { changed: true, willRun: true, why: null, lastRun: null },
  });
  expect(await schedule("install", "--at", at)).toMatchObject({ exitCode: 0, data: { changed: false } });
  expect((await host.run("ls", ["/etc/cron.d"])).stdout).toBe("regctl-odd\n");

  const log = join(directory, ".regctl/schedule.log");
  await eventually(async () => expect(await readFile(log, "utf8")).toMatch(/ended with/), 130_000, 500);
  expect(await readFile(log, "utf8")).toMatch(/^not due, 39\d days left .*\n\S+ regctl schedule ended with 0\n$/);
  const shown = await schedule("show");
  expect(shown).toMatchObject({ exitCode: 0, data: { lastRun: { exitCode: 0 } } });
  expect(Math.abs(Date.parse(shown.data.lastRun?.at ?? "") - Date.now())).toBeLessThan(60_000);

  expect(await schedule("remove")).toMatchObject({ exitCode: 0, data: { removed: ["/etc/cron.d/regctl-odd"] } });
  expect((await host.run("ls", ["/etc/cron.d"])).stdout).toBe("");
  expect(Object.keys(await filesBelow(directory))).toEqual(before);
  expect(await schedule("remove")).toMatchObject({ exitCode: 0, data: { removed: [] } });
});
