import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hostSchedules, scheduledFolders } from "../../../src/host/scheduled-jobs.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

it("folders are read from the marks of jobs, and from nothing else", async () => {
  await using host = temporaryDirectory();
  for (const folder of ["etc/systemd/system", "etc/cron.d"]) await mkdir(join(host.path, folder), { recursive: true });
  const write = (path: string, directory: string) =>
    writeFile(join(host.path, path), `# regctl schedule ${JSON.stringify({ directory, at: "03:30" })}\n[Unit]\n`);
  await write("etc/systemd/system/regctl-a.timer", "/srv/a");
  await write("etc/cron.d/regctl-b", "/srv/b");
  await write("etc/cron.d/others", "/srv/c");
  expect(await hostSchedules(host.path)).toEqual(["/srv/a", "/srv/b"]);
  expect(await hostSchedules(join(host.path, "nowhere"))).toEqual([]);
});

it("a damaged mark names nothing", () => {
  expect(scheduledFolders("# regctl schedule {\n# regctl schedule {}\n#regctl\n")).toEqual([]);
});
