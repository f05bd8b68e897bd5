/**
 * A whole Debian 12 with every client there is (test/prepare.sh made its root), fresh each time: its files are an overlay over
 * that root, its network is a namespace, its processes end with it. No address of the registry is loopback there.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { type NetworkNamespace, networkNamespace } from "./network-namespace.ts";
import { type ProgramOptions, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { cachedProgram } from "./test-cache.ts";

export interface ClientMachine extends AsyncDisposable {
  readonly network: NetworkNamespace;
  /** Its files as seen from here. */
  path(file: string): string;
  run(command: string, args?: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
  /** `sh -c`. */
  sh(script: string, options?: ProgramOptions): Promise<ProgramResult>;
  /** A program of this host as if it were installed there: on its files, its processes and its network. */
  runHostProgram(command: string, args: readonly string[], options?: ProgramOptions): Promise<ProgramResult>;
  /** Starts what goes on until the machine is disposed. */
  start(command: string, args?: readonly string[]): void;
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The machine's first process: mounts what a kernel's init would, then waits for its stdin to end. */
const INIT = `
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
cd "$2/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/lock var/lib/docker var/lib/containerd
mount -t tmpfs tmpfs var/lib/docker
mount -t tmpfs tmpfs var/lib/containerd
mount -t tmpfs tmpfs tmp
echo ready
exec cat
`;

/** This host's programs and libraries stay; what says how a machine is set up is the other's. */
const AS_HOST_PROGRAM = `
set -e
root=$1
shift
for folder in etc run root usr/local/share var/lib; do mount --rbind "$root/$folder" "/$folder"; done
mount -t proc proc /proc
# The interfaces of the machine's network.
mount -t sysfs sysfs /sys
exec "$@"
`;

/** `hosts` as in networkNamespace; \`HOST\` stands for this host's address. */
export async function clientMachine(hosts: Readonly<Record<string, string>>): Promise<ClientMachine> {
  const lower = cachedProgram("client-debian-12");
  const folder = temporaryDirectory("regctl-test-machine-");
  const network = await networkNamespace(hosts);
  const root = join(folder.path, "root");
  for (const name of ["upper", "work", "root"]) await mkdir(join(folder.path, name));
  const init = spawn(
    "nsenter",
    [
      `--net=/run/netns/${network.name}`,
      ...["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"],
      ...["sh", "-c", INIT, "init", lower, folder.path],
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: { PATH } },
  );
  const dispose = async (): Promise<void> => {
    const ended = init.exitCode === null ? once(init, "exit") : undefined;
    init.stdin.end();
    await ended;
    await network[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  try {
    const [line] = (await Promise.race([once(init.stdout, "data"), once(init, "exit")])) as [unknown];
    if (!String(line).startsWith("ready")) throw new Error(`the client machine did not start: ${String(line)}`);
    const first = await eventually(async () => {
      const children = await readFile(`/proc/${init.pid}/task/${init.pid}/children`, "utf8");
      return children.trim() === "" ? false : Number(children.trim().split(" ")[0]);
    });
    const argv = (command: string, args: readonly string[]): string[] => [
      ...["--target", String(first), "--mount", "--pid", "--uts", "--ipc", "--net"],
      ...["--", "chroot", `${root}`, "/usr/bin/env", "-i", `PATH=${PATH}`, "HOME=/root", "LANG=C.UTF-8"],
      command,
      ...args,
    ];
    const machine: ClientMachine = {
      network,
      path: (file) => `/proc/${first}/root${join(root, file)}`,
      run: (command, args = [], options = {}) => {
        const more = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
        const [start, end] = [argv("", []).slice(0, -1), [command, ...args]];
        return runProgram("nsenter", [...start, ...more, ...end], { ...options, env: {} });
      },
      runHostProgram: (command, args, options = {}) => {
        const enter = ["--target", String(first), "--mount", "--pid", "--uts", "--ipc", "--net", "--"];
        const shell = ["unshare", "--mount", "sh", "-c", AS_HOST_PROGRAM, "sh", root, command, ...args];
        return runProgram("nsenter", [...enter, ...shell], { ...options, env: { HOME: "/root", ...options.env } });
      },
      sh: (script, options) => machine.run("sh", ["-c", script], options),
      start: (command, args = []) => {
        spawnIn(argv(command, args));
      },
      [Symbol.asyncDispose]: dispose,
    };
    const lines = Object.entries(hosts).map(([host, at]) => `${at === "HOST" ? network.hostAddress : at} ${host}\n`);
    await writeFile(machine.path("/etc/hosts"), `127.0.0.1 localhost\n${lines.join("")}`);
    return machine;
  } catch (error) {
    await dispose();
    throw error;
  }
}

function spawnIn(args: readonly string[]): ChildProcess {
  return spawn("nsenter", args, { stdio: "ignore", env: { PATH } });
}
