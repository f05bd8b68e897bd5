import { describe, expect, it } from "vitest";
import type { CommandResult, RunCommand, RunOptions } from "../../../src/host/command.ts";
import { installEngine, manualInstallSteps } from "../../../src/host/engine-packages.ts";
import { parseOsRelease } from "../../../src/host/os-release.ts";

interface Call {
  readonly line: string;
  readonly options: RunOptions | undefined;
}

/** A host whose apt answers `installs` one after the other, and 0 to all else. */
function host(
  installs: readonly Partial<CommandResult>[],
  packages: readonly string[] = [],
): { run: RunCommand; calls: Call[] } {
  const calls: Call[] = [];
  const answers = [...installs];
  const run: RunCommand = async (file, args, options) => {
    calls.push({ line: [file, ...args].join(" "), options });
    const ok = { exitCode: 0, stdout: "", stderr: "" };
    if (file === "apt-cache")
      return packages.includes(args[1]!) ? { ...ok, stdout: `Package: ${args[1]}\n` } : { ...ok, exitCode: 100 };
    return args.includes("install") ? { ...ok, ...answers.shift() } : ok;
  };
  return { run, calls };
}

const INSTALL =
  /^apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends --no-remove docker\.io iptables ca-certificates/;

describe("installEngine", () => {
  it("installs with one command where that works, asking nothing", async () => {
    const { run, calls } = host([{}]);
    await installEngine({ run, uid: 0, env: { http_proxy: "http://proxy:3128" } });
    const [install, ...others] = calls.filter((call) => !call.line.startsWith("apt-cache"));
    expect(others).toEqual([]);
    expect(install?.line).toMatch(INSTALL);
    expect(install?.options).toMatchObject({
      env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "a", http_proxy: "http://proxy:3128" },
      onAbort: "interrupt",
    });
  });

  it("adds the client where the distribution has split it off", async () => {
    const { run, calls } = host([{}], ["docker-cli"]);
    await installEngine({ run, uid: 0 });
    expect(calls.at(-1)?.line).toMatch(/ docker-cli/);
  });

  it("repairs dpkg, refreshes the lists and tries once more", async () => {
    const { run, calls } = host([{ exitCode: 100, stderr: "E: Unable to locate package docker.io\n" }, {}]);
    await installEngine({ run, uid: 0 });
    const lines = calls.map((call) => call.line).filter((line) => !line.startsWith("apt-cache"));
    expect(lines.map((line) => line.replace(INSTALL, "install").split(" docker-cli")[0])).toEqual([
      expect.stringMatching(/^install/),
      "dpkg --configure -a",
      "apt-get -o DPkg::Lock::Timeout=120 update",
      expect.stringMatching(/^install/),
    ]);
  });

  it("gives up with apt's own words and the command to run", async () => {
    const failure = { exitCode: 100, stderr: "Reading…\nE: Packages need to be removed but remove is disabled.\n" };
    const { run } = host([failure, failure]);
    await expect(installEngine({ run, uid: 0 })).rejects.toMatchObject({
      code: "operation-failed",
      issues: expect.arrayContaining([
        { path: "apt-get", message: "E: Packages need to be removed but remove is disabled." },
      ]),
      hint: expect.stringContaining(
        "DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -o DPkg::Lock::Timeout=120 install",
      ),
    });
  });

  it("runs nothing when it is not root", async () => {
    const { run, calls } = host([]);
    await expect(installEngine({ run, uid: 1000 })).rejects.toMatchObject({
      code: "permission-denied",
      hint: expect.stringContaining("sudo"),
    });
    expect(calls).toEqual([]);
  });
});

describe("manualInstallSteps", () => {
  it.each([
    ["ID=debian", "sudo apt-get install docker.io"],
    ["ID=ubuntu\nID_LIKE=debian", "sudo apt-get install docker.io"],
    ["ID=fedora", "sudo dnf install moby-engine"],
    [
      'ID="rhel"\nID_LIKE="fedora"',
      "sudo dnf config-manager --add-repo https://download.docker.com/linux/rhel/docker-ce.repo",
    ],
    [
      'ID="rocky"\nID_LIKE="rhel centos fedora"',
      "sudo dnf config-manager --add-repo https://download.docker.com/linux/centos/docker-ce.repo",
    ],
    ['ID="amzn"\nID_LIKE="fedora"', "sudo dnf install docker"],
    ['ID="opensuse-leap"\nID_LIKE="suse opensuse"', "sudo zypper install docker"],
    ["ID=alpine", "sudo rc-update add docker default"],
    ["ID=arch", "sudo pacman -Syu docker"],
    ["ID=slackware", "follow https://docs.docker.com/engine/install/"],
  ])("for %j has %s", (text, step) => {
    expect(manualInstallSteps(parseOsRelease(text))).toContain(step);
  });
});
