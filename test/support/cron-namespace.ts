import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { eventually } from "./eventually.ts";
import { REGCTL } from "./regctl.ts";
import { cleanEnvironment, mustRun, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { cachedProgram } from "./test-cache.ts";

/** A host with no job of cron's and no cron daemon, until one is started: this one, with its own view of cron's folders. */
export interface CronNamespace extends AsyncDisposable {
  run(command: string, args: readonly string[]): Promise<ProgramResult>;
  regctl(args: readonly string[]): Promise<ProgramResult>;
  /** Starts Debian's cron daemon inside. */
  startCron(): Promise<void>;
}

const PID_FILE = "/run/crond.pid";

/** Own mounts over every place cron reads or writes, and own processes, which end with the first of them. */
const SETUP = `
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /var/spool
mount --bind "$1" ${PID_FILE}
mount --bind "$2" /etc/group
if [ -e /etc/crontab ]; then mount --bind /dev/null /etc/crontab; fi
echo ready
exec tail -f /dev/null
`;

export async function cronNamespace(): Promise<CronNamespace> {
  const folder = temporaryDirectory();
  const pidFile = `${folder.path}/crond.pid`;
  await writeFile(pidFile, "");
  // The package makes the group its crontabs belong to.
  const groups = await readFile("/etc/group", "utf8");
  const groupFile = `${folder.path}/group`;
  await writeFile(groupFile, /^crontab:/m.test(groups) ? groups : `${groups}crontab:x:64999:\n`);
  const isOurs = !existsSync(PID_FILE);
  if (isOurs) await writeFile(PID_FILE, "");
  const unshare = [
    "--mount",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child=KILL",
    "sh",
    "-ec",
    SETUP,
    "sh",
    pidFile,
    groupFile,
  ];
  const holder = spawn("unshare", unshare, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "inherit"] });
  const [isReady] = await Promise.race([once(holder.stdout, "data"), once(holder, "exit").then(() => [undefined])]);
  if (isReady === undefined) throw new Error("the namespace for cron could not be made");
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
  const enter = ["--target", children.trim(), "--mount", "--pid"];
  const run = (command: string, args: readonly string[]) => runProgram("nsenter", [...enter, command, ...args]);
  return {
    run,
    regctl: (args) => run(process.execPath, [REGCTL, ...args]),
    async startCron() {
      await mustRun("nsenter", [...enter, cachedProgram("cron/usr/sbin/cron")]);
      await eventually(async () => (await readFile(pidFile, "utf8")).trim() !== "");
    },
    async [Symbol.asyncDispose]() {
      const ended = once(holder, "exit");
      holder.kill("SIGKILL");
      await ended;
      if (isOurs) await rm(PID_FILE, { force: true });
      await folder[Symbol.asyncDispose]();
    },
  };
}
