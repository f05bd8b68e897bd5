/** What each check says of given facts; those that can be broken for real are in test/e2e/doctor-*.test.ts as well. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roomFor } from "../../../src/doctor/deployment/disk-space.ts";
import { isExempt } from "../../../src/doctor/deployment/engine-proxy.ts";
import { judgeLog } from "../../../src/doctor/deployment/registry-log.ts";
import { deploymentChecks } from "../../../src/doctor/deployment-checks.ts";
import type { DeploymentFacts } from "../../../src/doctor/deployment-facts.ts";
import { RegctlError } from "../../../src/errors.ts";
import { CONTAINER, configOf, DETAILS, diagnose, facts, findings, NOW } from "../../support/deployment-facts.ts";

const GIB = 1024 ** 3;
const DAY_MS = 86_400_000;
const OPEN = ["tls: { mode: none }", "insecure: true", "bind: 0.0.0.0"];
const withRegistry = (line: string) => configOf(...OPEN, `registry: ${line}`);

it("a healthy deployment is one every check is silent about", async () => {
  expect(await findings(facts())).toEqual({});
});

it("ids and titles are each their own", () => {
  for (const key of ["id", "title"] as const) {
    const all = deploymentChecks.map((check) => check[key]);
    expect(new Set(all).size).toBe(all.length);
  }
  expect(deploymentChecks.every(({ id }) => /^[a-z]+(-[a-z]+)*$/.test(id))).toBe(true);
});

type Case = readonly [
  id: string,
  what: string,
  change: Partial<DeploymentFacts>,
  verdict: string | undefined,
  says?: RegExp,
];
const engineWith = (change: Partial<typeof DETAILS>) => ({ engineDetails: async () => ({ ...DETAILS, ...change }) });
const containerWith = (change: Partial<typeof CONTAINER>) => ({
  containers: async () => [{ ...CONTAINER, ...change }],
});
const diskWith = (change: object) => ({
  disks: async () => [
    {
      path: "/srv",
      isReadOnly: false,
      space: { bytesFree: 80 * GIB, bytesTotal: 100 * GIB, inodesFree: 9e6, inodesTotal: 1e7, ...change },
    },
  ],
});
const nameWith = (addresses: string[], inHostsFile: string[] = []) => ({
  names: async () => [{ name: "registry.example.com", addresses, inHostsFile }],
});
const trashWith = (change: object) => ({
  trash: async () => [
    {
      id: "20261120-0a1b2c",
      kind: "rm-repo",
      state: "kept",
      expires: new Date(NOW.getTime() + 3 * DAY_MS),
      bytes: 1,
      ...change,
    },
  ],
});

const CASES: readonly Case[] = [
  [
    "engine",
    "not permitted",
    {
      engine: () =>
        Promise.reject(new RegctlError("engine-denied", "permission denied", { hint: "usermod -aG docker me" })),
    },
    "broken",
    /permission denied/,
  ],
  [
    "engine",
    "is Podman",
    { engine: async () => ({ ...(await facts().engine()), isPodman: true }) },
    "warning",
    /Podman/,
  ],
  ["container", "is not there", { containers: async () => [] }, "broken", /no container/],
  [
    "container",
    "was killed by the kernel",
    containerWith({ state: "exited", exitCode: 137, outOfMemory: true }),
    "broken",
    /out of memory/,
  ],
  ["container", "got a SIGHUP as PID 1", containerWith({ state: "exited", exitCode: 2 }), "broken", /SIGHUP/],
  [
    "container",
    "got a SIGHUP",
    containerWith({ state: "restarting", exitCode: 129 }),
    "broken",
    /keeps restarting .*SIGHUP/,
  ],
  [
    "container",
    "was restarted often just now",
    containerWith({ restartCount: 9, startedAt: NOW.toISOString() }),
    "warning",
    /9 times/,
  ],
  ["container", "was restarted often last week", containerWith({ restartCount: 9 }), undefined],
  [
    "container",
    "says why it did not start",
    containerWith({ state: "created", exitCode: 128, error: "port \u001b[31m taken" }),
    "broken",
    /port \\u001b\[31m taken/,
  ],
  [
    "container-health",
    "fails",
    containerWith({ health: "unhealthy", healthOutput: "503\u0007" }),
    "broken",
    /503\\u0007/,
  ],
  ["container-health", "is not known yet", containerWith({ health: "starting" }), undefined],
  [
    "port",
    "is somebody else's while ours is down",
    { portHolders: async () => ["nginx (pid 7)"], ...containerWith({ state: "exited" }) },
    "broken",
    /nginx/,
  ],
  [
    "storage-mount",
    "is inside of the container",
    { settings: async () => ({ ...(await healthySettings()), mounts: [] }) },
    "broken",
    /inside the container/,
  ],
  [
    "storage-mount",
    "is a volume with a name",
    {
      settings: async () => ({
        ...(await healthySettings()),
        mounts: [{ kind: "volume", name: "pics", source: "/v", target: "/var/lib/registry" }],
      }),
    },
    "warning",
    /the volume pics/,
  ],
  [
    "log-rotation",
    "goes to journald",
    { settings: async () => ({ ...(await healthySettings()), logDriver: "journald", logOptions: {} }) },
    undefined,
  ],
  [
    "interrupted-change",
    "belongs to a command at work",
    { interruptions: async () => ({ isIdle: false, transaction: true, init: true, readOnlySince: "" }) },
    undefined,
  ],
  ["interrupted-removal", "was killed", trashWith({ state: "open", kind: "prune" }), "warning", /taken back/],
  [
    "interrupted-removal",
    "is under way",
    {
      ...trashWith({ state: "purging" }),
      interruptions: async () => ({ isIdle: false, transaction: false, init: false, readOnlySince: undefined }),
    },
    undefined,
  ],
  [
    "descriptor-cache",
    "is redis on S3",
    {
      config: async () =>
        withRegistry(
          "{ storage: { s3: { region: r, bucket: b }, cache: { blobdescriptor: redis } }, redis: { addr: 'r:6379' } }",
        ),
    },
    undefined,
  ],
  [
    "deletion",
    "is off",
    { config: async () => withRegistry("{ storage: { delete: { enabled: false } } }") },
    "warning",
    /status 405/,
  ],
  [
    "disk-writable",
    "is read-only",
    { disks: async () => [{ ...(await healthyDisk()), isReadOnly: true }] },
    "broken",
    /read-only/,
  ],
  ["disk-space", "is out", diskWith({ bytesFree: 0.05 * GIB }), "broken", /of 100/],
  ["disk-space", "is low", diskWith({ bytesFree: 5 * GIB }), "warning", /5/],
  ["disk-inodes", "are out", diskWith({ inodesFree: 10 }), "broken", /10 of/],
  ["disk-inodes", "are low", diskWith({ inodesFree: 15_000 }), "warning"],
  ["disk-inodes", "are not counted", diskWith({ inodesFree: 0, inodesTotal: 0 }), undefined],
  [
    "trash",
    "is overdue",
    trashWith({ expires: new Date(NOW.getTime() - 3 * DAY_MS) }),
    "warning",
    /could have been purged/,
  ],
  [
    "trash",
    "is about to lose what was removed by hand",
    trashWith({ expires: new Date(NOW.getTime() + DAY_MS / 2) }),
    "warning",
    /brought back until/,
  ],
  [
    "trash",
    "is about to lose what a collection took",
    trashWith({ kind: "gc", expires: new Date(NOW.getTime() + DAY_MS / 2) }),
    undefined,
  ],
  ["trash", "is large", trashWith({ bytes: 20 * GIB }), "warning", /a tenth/],
  ["stale-uploads", "are many", { staleUploads: async () => ({ count: 7, isPartial: true }) }, "warning", /at least 7/],
  [
    "collection-age",
    "is half a year",
    { audit: async () => [{ time: new Date("2026-03-01"), command: "gc --untagged", outcome: "ok" }] },
    "warning",
    /273 days ago/,
  ],
  [
    "collection-age",
    "is unknown: none ever was",
    { audit: async () => [{ time: new Date("2026-03-01"), command: "init", outcome: "ok" }] },
    "warning",
    /no garbage collection/,
  ],
  [
    "collection-age",
    "failed lately",
    {
      audit: async () => [
        { time: new Date("2026-03-01"), command: "init", outcome: "ok" },
        { time: NOW, command: "gc", outcome: "disk-full" },
      ],
    },
    "warning",
  ],
  ["registry-version", "2.8.1", versionOf("2.8.1"), "warning", /CVE-2023-2253/],
  ["registry-version", "2.8.2+ds1", versionOf("2.8.2+ds1"), undefined],
  ["registry-version", "3.x read as 2.x", versionOf("v3.0.0"), "broken", /3\.0\.0, and regctl.yaml is read for 2/],
  [
    "registry-version",
    "3.1.0 with deletion off",
    {
      ...versionOf("3.1.0"),
      config: async () =>
        configOf(...OPEN, "image: registry:3", "registry: { storage: { delete: { enabled: false } } }"),
    },
    "warning",
    /CVE-2026-41888/,
  ],
  [
    "registry-version",
    "3.1.1 on S3",
    {
      ...versionOf("v3.1.1"),
      config: async () =>
        configOf(...OPEN, "image: registry:3", "registry: { storage: { s3: { region: r, bucket: b } } }"),
    },
    "warning",
    /#4903/,
  ],
  [
    "host-clock",
    "is a day off",
    engineWith({ time: new Date(NOW.getTime() - DAY_MS).toISOString() }),
    "broken",
    /24 hours apart/,
  ],
  ["host-clock", "is years behind", { now: new Date("2001-01-01") }, "broken", /2001-01-01/],
  ["host-clock", "is kept by nobody", { isClockSynchronized: async () => false }, "warning", /synchronized/],
  ["name-resolution", "does not", nameWith([]), "warning", /does not resolve/],
  ["name-resolution", "leads to loopback only", nameWith(["127.0.1.1"]), "warning", /127\.0\.1\.1 only/],
  ["name-resolution", "leads elsewhere", nameWith(["203.0.113.9"]), "warning", /no address of this host/],
  ["name-resolution", "is overridden by /etc/hosts", nameWith(["127.0.1.1"], ["127.0.1.1"]), undefined],
  ["hosts-file", "names loopback", nameWith(["127.0.1.1"], ["127.0.1.1"]), "warning", /proves nothing/],
  ["hosts-file", "names another host", nameWith(["10.0.0.9"], ["10.0.0.9"]), "warning", /10\.0\.0\.9/],
  ["hosts-file", "names this host", nameWith(["192.0.2.7"], ["192.0.2.7"]), undefined],
  [
    "firewall",
    "does not know the port",
    { firewall: async () => ({ kind: "ufw", mentions: () => false }) },
    "warning",
    /past ufw/,
  ],
  [
    "firewall",
    "has a rule about it",
    { firewall: async () => ({ kind: "ufw", mentions: (port) => port === 5000 }) },
    undefined,
  ],
  [
    "firewall",
    "does not matter on loopback",
    {
      firewall: async () => ({ kind: "firewalld", mentions: () => false }),
      config: async () => configOf("bind: 127.0.0.1"),
    },
    undefined,
  ],
  [
    "docker-networks",
    "lie over the VPN's",
    { network: async () => ({ ...(await facts().network()), routes: [{ subnet: "172.16.0.0/12", through: "tun0" }] }) },
    "warning",
    /172\.16\.0\.0\/12 through tun0/,
  ],
  [
    "docker-networks",
    "are Podman's own",
    {
      network: async () => ({
        ...(await facts().network()),
        routes: ["cni-podman1", "podman0"].map((through) => ({ subnet: "172.18.0.0/16", through })),
      }),
    },
    undefined,
  ],
  [
    "mtu",
    "is above that of the uplink",
    {
      network: async () => ({
        ...(await facts().network()),
        mtus: new Map([
          ["eth0", 1450],
          ["br-1", 1500],
        ]),
      }),
    },
    "warning",
    /1500 bytes .* eth0 takes 1450/,
  ],
  [
    "restart-policy",
    "is on-failure",
    { settings: async () => ({ ...(await healthySettings()), restart: "on-failure" }) },
    "warning",
    /live-restore is off/,
  ],
  [
    "engine-proxy",
    "has no exception",
    { ...engineWith({ httpProxy: "http://proxy:3128" }) },
    "warning",
    /registry\.example\.com/,
  ],
  [
    "engine-proxy",
    "has one",
    { ...engineWith({ httpProxy: "http://proxy:3128", noProxy: "localhost,.example.com" }) },
    undefined,
  ],
  [
    "engine-insecure-registries",
    "was told by an option",
    {
      ...engineWith({ insecureRegistries: ["registry.example.com:5000"] }),
      config: async () => configOf(),
      certificates: async () => ({
        authority: undefined,
        certificate: undefined,
        key: undefined,
        hasAuthorityKey: true,
      }),
    },
    "warning",
    /any certificate/,
  ],
  [
    "engine-insecure-registries",
    "of other registries",
    { ...engineWith({ insecureRegistries: ["10.0.0.0/8", "other:5000"] }), config: async () => configOf() },
    undefined,
  ],
  ["mirrors", "do not answer", { silentMirrors: async () => ["http://127.0.0.1:9"] }, "warning", /127\.0\.0\.1:9/],
  [
    "daemon-configuration",
    "has a comma too many",
    { daemonConfiguration: async () => ({ path: "/etc/docker/daemon.json", text: '{"mtu":1400,}' }) },
    "broken",
    /does not start/,
  ],
  [
    "daemon-configuration",
    "is a list",
    { daemonConfiguration: async () => ({ path: "/etc/docker/daemon.json", text: "[]" }) },
    "broken",
  ],
  [
    "daemon-configuration",
    "is good",
    { daemonConfiguration: async () => ({ path: "/etc/docker/daemon.json", text: '{"mtu":1400}' }) },
    undefined,
  ],
  [
    "daemon-configuration",
    "says twice what is an option as well",
    {
      daemonConfiguration: async () => ({
        path: "/etc/docker/daemon.json",
        text: '{"hosts":[],"debug":true,"dns":[]}',
      }),
      engineOptions: async () => ["-H", "fd://", "-D", "--log-level=info"],
    },
    "broken",
    /hosts, debug is there and on dockerd's command line/,
  ],
  [
    "daemon-configuration",
    "is refused by dockerd itself",
    {
      daemonConfiguration: async () => ({
        path: "/etc/docker/daemon.json",
        text: '{"insecure-registeries":[]}',
        refusal: "the following directives don't match any configuration option: insecure-registeries",
      }),
    },
    "broken",
    /option: insecure-registeries/,
  ],
  [
    "daemon-configuration",
    "is empty, which new engines take",
    { daemonConfiguration: async () => ({ path: "/etc/docker/daemon.json", text: "" }) },
    undefined,
  ],
  [
    "snap-engine",
    "is one",
    engineWith({ rootFolder: "/var/snap/docker/common/var-lib-docker" }),
    "warning",
    /certs\.d/,
  ],
  [
    "selinux",
    "labels the images for users",
    { selinuxType: async () => "user_home_t", ...engineWith({ labelsWithSelinux: true }) },
    "broken",
    /user_home_t/,
  ],
  [
    "selinux",
    "labels them for containers",
    { selinuxType: async () => "container_file_t", ...engineWith({ labelsWithSelinux: true }) },
    undefined,
  ],
  [
    "secret-files",
    "are links",
    { files: async () => [fileWith({ path: "certs/domain.key", kind: "link", mode: 0o777 })] },
    undefined,
  ],
  [
    "certificate-folder",
    "has a file with a name to be afraid of",
    { files: async () => [fileWith({ path: "certs/\u001b]0;x\u0007.key" })] },
    "warning",
    /"certs\/\\u001b\]0;x\\u0007\.key"/,
  ],
];

function fileWith(change: object) {
  return {
    path: "certs/x",
    absolutePath: "/srv/reg/certs/x",
    kind: "file" as const,
    mode: 0o600,
    uid: 1000,
    gid: 1000,
    modified: NOW,
    ...change,
  };
}

async function healthySettings() {
  const settings = await facts().settings();
  if (settings === undefined) throw new Error("no settings");
  return settings;
}

async function healthyDisk() {
  const [disk] = await facts().disks();
  if (disk === undefined) throw new Error("no disk");
  return disk;
}

function versionOf(version: string): Partial<DeploymentFacts> {
  return {
    log: async () => [
      `time="2026-11-29T01:07:42Z" level=info msg="Starting upload purge" go.version=go1.19.8 version=${version}`,
    ],
  };
}

describe("each check", () => {
  it.each([...CASES].map(([id, what, change, verdict, says = /^/]) => ({ id, what, change, verdict, says })))(
    "$id $what",
    async ({ id, change, verdict, says }) => {
      const diagnosis = await diagnose(id, change);
      expect(diagnosis?.verdict).toBe(verdict);
      if (diagnosis === undefined) return;
      expect(diagnosis.cause).toMatch(says);
      expect(diagnosis.fix).not.toBe("");
    },
  );
});

describe("the registry's log", () => {
  it.each([
    ['time="…" level=fatal msg="tls: private key does not match public key"', /another certificate/],
    ['time="…" level=fatal msg="tls: failed to parse private key"', /encrypted or damaged/],
    ["panic: unable to configure storage", /configuration is refused/],
    ["panic: runtime error: index out of range", /panicked/],
    ['time="…" level=warning msg="No HTTP secret provided - generated random secret."', /secret of its own/],
    [
      'time="…" level=error msg="response completed with error" err.code=unknown err.detail="filesystem: write /var: no space left on device"',
      /disk is full/,
    ],
    ['{"level":"fatal","msg":"open /certs/domain.key: permission denied"}', /may not read/],
  ])("%s", (line, means) => {
    expect(judgeLog(["", 'time="…" level=info msg="listening"', line])?.means).toMatch(means);
  });

  it.each([
    '172.18.0.1 - - [29/Nov/2026:01:07:52 +0000] "GET /v2/panic:%20no HTTP/1.1" 401 87 "" "panic: permission denied"',
    'time="…" level=info msg="response completed" http.request.useragent="panic: no space left on device"',
    'time="…" level=warning msg="error authorizing context" err.detail="permission denied" http.request.uri="/v2/?a=panic: x"',
    '{"level":"info","msg":"response completed","http.request.useragent":"panic: permission denied"}',
  ])("what a client chose to say is not the registry's own word: %s", (line) => {
    expect(judgeLog([line])).toBeUndefined();
  });

  it("never throws, whatever was written", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }), (lines) => void judgeLog(lines)),
      { numRuns: 40 },
    );
  });
});

it("a disk with less room is never better off", () => {
  const order = { enough: 2, low: 1, out: 0 };
  const size = fc.integer({ min: 1, max: 2 ** 45 });
  fc.assert(
    fc.property(size, size, size, (total, one, other) => {
      const [less, more] = [Math.min(one, other, total), Math.min(Math.max(one, other), total)];
      expect(order[roomFor(less, total)]).toBeLessThanOrEqual(order[roomFor(more, total)]);
    }),
  );
});

it.each([
  ["", false],
  ["*", true],
  ["example.com", true],
  [".example.com", true],
  ["*.example.com", true],
  ["registry.example.com:5000", true],
  ["registry.example.com:443", false],
  ["other.com, registry.example.com", true],
  ["ample.com", false],
])("NO_PROXY=%s exempts the registry: %s", (noProxy, expected) => {
  expect(isExempt(noProxy, "registry.example.com", 5000)).toBe(expected);
});
