/** Facts of a deployment where every check is silent, to change one of them at a time. */
import type { X509Certificate } from "node:crypto";
import type { Config } from "../../src/config/config.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { Check, Diagnosis } from "../../src/doctor/check.ts";
import { deploymentChecks } from "../../src/doctor/deployment-checks.ts";
import type { CertificateFileContents, DeploymentFacts } from "../../src/doctor/deployment-facts.ts";
import type { ObservedContainer } from "../../src/engine/engine.ts";
import type { EngineDetails } from "../../src/engine/inspection.ts";

export const NOW = new Date("2026-11-29T12:00:00Z");
const GIB = 1024 ** 3;

/** regctl.yaml as a checked configuration; `lines` are added to it. */
export function configOf(...lines: string[]): Config {
  const image = lines.some((line) => line.startsWith("image:")) ? [] : ["image: registry:2"];
  const text = ["name: reg", "domain: registry.example.com", "port: 5000", ...image, ...lines].join("\n");
  const result = parseConfig({ text, directory: "/srv/reg", defaultUser: { uid: 1000, gid: 1000 } });
  if (result.config === undefined) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

export const CONTAINER: ObservedContainer = {
  id: "0123",
  name: "reg-registry-1",
  image: "registry:2",
  imageId: "sha256:00",
  labels: {},
  environment: ["PATH"],
  state: "running",
  health: "healthy",
  healthOutput: "",
  exitCode: 0,
  error: "",
  outOfMemory: false,
  restartCount: 0,
  startedAt: "2026-11-20T00:00:00Z",
  ports: [{ hostAddress: "0.0.0.0", hostPort: 5000, containerPort: 5000 }],
  networks: ["reg_default"],
  mounts: [],
};

export const DETAILS: EngineDetails = {
  time: NOW.toISOString(),
  operatingSystem: "Debian",
  rootFolder: "/var/lib/docker",
  keepsContainersAlive: false,
  isRootless: false,
  labelsWithSelinux: false,
  httpProxy: "",
  httpsProxy: "",
  noProxy: "",
  insecureRegistries: ["127.0.0.0/8"],
  mirrors: [],
};

const NO_FILES: CertificateFileContents = {
  authority: undefined,
  certificate: undefined,
  key: undefined,
  hasAuthorityKey: true,
};

/** Without TLS, so that no certificate is needed; what a test is about is given as values. */
export function facts(change: Partial<DeploymentFacts> = {}): DeploymentFacts {
  const nothing = () => Promise.reject(new Error("nothing is mended here"));
  const config = configOf("tls: { mode: none }", "insecure: true", "bind: 0.0.0.0");
  const space = { bytesFree: 80 * GIB, bytesTotal: 100 * GIB, inodesFree: 6_000_000, inodesTotal: 6_500_000 };
  return {
    now: NOW,
    directory: "/srv/reg",
    isRoot: true,
    mends: {
      up: nothing,
      restart: nothing,
      finishInterrupted: nothing,
      protect: nothing,
      removeRepeatedUsers: nothing,
    },
    config: async () => config,
    configurationIssues: async () => [],
    certificates: async () => NO_FILES,
    files: async () => [],
    htpasswd: async () => `admin:$2b$10$${"a".repeat(53)}\n`,
    interruptions: async () => ({ isIdle: true, transaction: false, init: false, readOnlySince: undefined }),
    editedFiles: async () => [],
    changes: async () => [],
    audit: async () => [{ time: new Date("2026-11-01T00:00:00Z"), command: "gc", outcome: "ok" }],
    disks: async () => [{ path: "/srv/reg/data", space, isReadOnly: false }],
    trash: async () => [],
    staleUploads: async () => ({ count: 0, isPartial: false }),
    engine: async () => ({
      endpoint: "unix:///var/run/docker.sock",
      origin: "default socket",
      version: "27.1.1",
      apiVersion: "1.46",
      architecture: "amd64",
      isPodman: false,
    }),
    engineDetails: async () => DETAILS,
    containers: async () => [CONTAINER],
    settings: async () => ({
      restart: "unless-stopped",
      logDriver: "json-file",
      logOptions: { "max-size": "10m" },
      mounts: [{ kind: "bind", name: "", source: "/srv/reg/data", target: "/var/lib/registry" }],
    }),
    log: async () => ['time="2026-11-29T01:07:42Z" level=info msg="listening on [::]:5000" version=2.8.3'],
    portHolders: async () => [],
    served: async () => undefined,
    dockerNetworks: async () => [{ name: "reg_default", bridge: "br-1", subnets: ["172.18.0.0/16"] }],
    silentMirrors: async () => [],
    names: async () => [{ name: "registry.example.com", addresses: ["192.0.2.7"], inHostsFile: [] }],
    network: async () => ({
      addresses: ["127.0.0.1", "192.0.2.7"],
      routes: [{ subnet: "172.18.0.0/16", through: "br-1" }],
      uplink: "eth0",
      mtus: new Map([
        ["eth0", 1500],
        ["br-1", 1500],
      ]),
    }),
    firewall: async () => undefined,
    daemonConfiguration: async () => ({ path: "/etc/docker/daemon.json", text: undefined }),
    engineOptions: async () => ["-H", "fd://"],
    systemAuthorities: async () => [],
    engineAboutRegistry: async () => "no basic auth credentials",
    isClockSynchronized: async () => undefined,
    isRenewalScheduled: async () => true,
    selinuxType: async () => undefined,
    ...change,
  };
}

function checkOf(id: string): Check<DeploymentFacts> {
  const check = deploymentChecks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`there is no check ${id}`);
  return check;
}

export function diagnose(id: string, change: Partial<DeploymentFacts> = {}): Promise<Diagnosis | undefined> {
  return checkOf(id).examine(facts(change));
}

/** Ids of the checks that find something, with their verdicts. */
export async function findings(given: DeploymentFacts): Promise<Record<string, string>> {
  const found = await Promise.all(
    deploymentChecks.map(async (check) => [check.id, (await check.examine(given))?.verdict] as const),
  );
  return Object.fromEntries(found.filter((one): one is [string, Diagnosis["verdict"]] => one[1] !== undefined));
}

/** The dates of a certificate, as Node tells them. */
export function valid(from: Date, to: Date): Pick<X509Certificate, "validFrom" | "validTo"> {
  return { validFrom: from.toUTCString(), validTo: to.toUTCString() };
}
