/** Which program of a host gets the job, and what is left of it, on hosts made of folders and a recorded systemctl. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import type { RunCommand } from "../../../src/host/command.ts";
import type { OperationPorts } from "../../../src/operations/ports.ts";
import { installSchedule, removeSchedule, showSchedule } from "../../../src/operations/schedule.ts";
import { filesBelow } from "../../support/files-below.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const SHOWN: Readonly<Record<string, string>> = {
  "regctl-acme.timer": "ActiveState=active\nNextElapseUSecRealtime=@1764385020\n",
  "regctl-acme.service": "ExecMainStatus=3\nExecMainExitTimestamp=@1764300000\n",
};

/** A host with these folders; its crontab program keeps one text, undefined = there is no such program. */
async function hostWith(folders: readonly string[], options: { isRoot?: boolean; crontab?: string } = {}) {
  const folder = temporaryDirectory();
  const directory = join(folder.path, "acme");
  for (const one of [directory, ...folders.map((name) => join(folder.path, "host", name))])
    await mkdir(one, { recursive: true });
  await writeFile(join(directory, "regctl.yaml"), "name: acme\n");
  const calls: string[] = [];
  const state = { crontab: options.crontab };
  const run: RunCommand = async (file, args, { input } = {}) => {
    const ok = (stdout = "") => ({ exitCode: 0, stdout, stderr: "" });
    if (file === "id") return ok("alice\n");
    if (file === "systemctl") {
      if (args[0] !== "show") calls.push(args.join(" "));
      return ok(args[0] === "show" ? SHOWN[args[1] ?? ""] : "");
    }
    if (state.crontab === undefined) throw new RegctlError("not-found", "cannot run crontab: it is not installed");
    if (args[0] === "-l")
      return state.crontab === "" ? { exitCode: 1, stdout: "", stderr: "no crontab" } : ok(state.crontab);
    state.crontab = args[0] === "-r" ? "" : (input ?? "");
    return ok();
  };
  const isRoot = options.isRoot ?? true;
  const { signal } = new AbortController();
  const host = { run, isRoot, signal, root: join(folder.path, "host") };
  const ports = {
    run,
    isRoot,
    signal,
    userId: 1000,
    environment: { DOCKER_HOST: "unix:///x" },
  } as unknown as OperationPorts;
  const install = (at?: string) =>
    installSchedule(ports, directory, { at, prune: true, gc: false, programPath: process.execPath }, host);
  return {
    directory,
    calls,
    state,
    install,
    show: () => showSchedule(ports, directory, host),
    remove: () => removeSchedule(ports, directory, host),
    files: async () => Object.keys(await filesBelow(host.root)),
    read: (path: string) => readFile(join(host.root, path), "utf8"),
    write: (path: string, text: string) => writeFile(join(host.root, path), text),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const SYSTEMD = ["run/systemd/system", "etc/systemd/system", "var/lib/systemd/timers", "etc/cron.d"];
const UNITS = ["etc/systemd/system/regctl-acme.service", "etc/systemd/system/regctl-acme.timer"];

describe("the schedule", () => {
  it("is a timer where systemd runs: once, shown with its last run, and gone with its stamp", async () => {
    await using host = await hostWith(SYSTEMD);
    expect(await host.show()).toBeUndefined();
    const { changed, state } = await host.install();
    expect(changed).toBe(true);
    expect(host.calls).toEqual(["daemon-reload", "enable --now regctl-acme.timer", "restart regctl-acme.timer"]);
    expect(state).toMatchObject({ by: "systemd", tasks: ["renew", "prune"], stopped: undefined });
    expect(state).toMatchObject({ next: "2025-11-29T02:57:00.000Z", lastRun: { exitCode: 3 } });
    expect(state.at).toMatch(/^0[234]:[0-5]\d$/);
    const service = await host.read(UNITS[0] ?? "");
    expect(service).toMatch(/^User=alice$/m);
    expect(service).toContain(`'certs' 'renew' '--if-due' || r=$$?; `);
    expect(service).toContain("export DOCKER_HOST='unix:///x'");
    expect(await host.install()).toMatchObject({ changed: false });
    expect(await host.install("04:10")).toMatchObject({ changed: true, state: { at: "04:10" } });
    await host.write("var/lib/systemd/timers/stamp-regctl-acme.timer", "");
    expect(await host.remove()).toHaveLength(2);
    expect(host.calls.slice(-3)).toEqual([
      "disable --now regctl-acme.timer",
      "daemon-reload",
      "reset-failed regctl-acme.service regctl-acme.timer",
    ]);
    expect(await host.files()).toEqual([]);
    expect(await host.show()).toBeUndefined();
  });

  it("moves from cron to systemd when the host does", async () => {
    await using host = await hostWith(["etc/cron.d", "etc/systemd/system"]);
    expect((await host.install()).state).toMatchObject({ by: "cron", stopped: "no cron daemon runs on this host" });
    expect(await host.files()).toEqual(["etc/cron.d/regctl-acme"]);
    await mkdir(join(host.directory, "../host/run/systemd/system"), { recursive: true });
    expect(await host.install()).toMatchObject({ changed: true, state: { by: "systemd" } });
    expect(await host.files()).toEqual(UNITS);
  });

  it("is in the crontab of somebody who is not root, beside what was there", async () => {
    const mine = "MAILTO=me\n0 1 * * * true\n";
    await using host = await hostWith(SYSTEMD, { isRoot: false, crontab: mine });
    expect(await host.install("03:30")).toMatchObject({ changed: true, state: { by: "cron", files: ["crontab"] } });
    expect(host.state.crontab).toMatch(
      /^MAILTO=me\n0 1 \* \* \* true\n# regctl schedule \{.*\n30 3 \* \* \* umask 077; /,
    );
    expect(await host.install("03:30")).toMatchObject({ changed: false });
    expect(await host.remove()).toEqual(["crontab"]);
    expect(host.state.crontab).toBe(mine);
    expect(host.calls).toEqual([]);
    expect(await host.files()).toEqual([]);
  });

  it("leaves the job of another folder alone, and says what is missing on a host with neither", async () => {
    await using host = await hostWith(SYSTEMD);
    await host.install();
    const unit = await host.read(UNITS[1] ?? "");
    await host.write(UNITS[1] ?? "", unit.replace(host.directory, "/elsewhere"));
    await expect(host.install()).rejects.toMatchObject({ code: "conflict" });
    expect(await host.show()).toBeUndefined();
    expect(await host.remove()).toEqual([]);
    expect(await host.files()).toEqual(UNITS);
    await using bare = await hostWith([]);
    await expect(bare.install()).rejects.toMatchObject({
      code: "precondition-failed",
      hint: expect.stringContaining("apt-get install cron"),
    });
  });
});
