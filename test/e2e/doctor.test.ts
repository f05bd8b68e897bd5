/** `doctor` of a real deployment, and from another machine: a network namespace with its own /etc/hosts and /etc/docker. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findingsIn, notSeenIn } from "../support/doctor-report.ts";
import { deployed } from "../support/e2e-deployment.ts";
import { excusedFindings } from "../support/examined.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import type { ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

let client: NetworkNamespace;
let one: Scenario;

beforeAll(async () => {
  // 192.0.2.1 is nobody's (RFC 5737): the second address of a name that has two.
  const hosts = { "registry.test": "HOST", "other.test": "HOST", "ghost other.test": "192.0.2.1" };
  client = await networkNamespace(hosts);
  one = await deployed({ adopt: false, flags: ["--domain", client.hostAddress, "--san", "registry.test"] });
});

afterAll(async () => {
  await one?.[Symbol.asyncDispose]();
  await client?.[Symbol.asyncDispose]();
});

const wrong = ({ stdout }: ProgramResult): string[] =>
  [...findingsIn(stdout)].map(([id, { verdict }]) => `${verdict} ${id}`);
const notSeen = ({ stdout }: ProgramResult): string[] => notSeenIn(stdout);

function fromClient(host: string, ...flags: readonly string[]): Promise<ProgramResult> {
  const { user, password } = one.credentials;
  const args = [
    "doctor",
    "--from-client",
    `${host}:${one.port}`,
    "--user",
    user,
    "--password-stdin",
    "--json",
    ...flags,
  ];
  return one.regctl(args, { inside: client, input: password, cwd: "/" });
}

it("has nothing wrong with a deployment that is new", async () => {
  const { user, password } = one.credentials;
  const result = await one.regctl(["doctor", "--user", user, "--password-stdin", "--json"], { input: password });
  // What this machine itself has is no fault of the deployment.
  const excused = await excusedFindings();
  expect(wrong(result).filter((one) => !excused.has(one.split(" ")[1] ?? ""))).toEqual([]);
  expect(notSeen(result)).toEqual([]);
  expect(result.exitCode).toBe(wrong(result).length === 0 ? 0 : 3);
});

it("tells a client what it lacks, until it lacks nothing", async () => {
  const unknown = await fromClient("registry.test");
  expect(unknown.exitCode).toBe(3);
  expect(wrong(unknown)).toEqual(["broken certificate-authority"]);

  const given = await fromClient("registry.test", "--ca", one.caFile);
  expect(given.exitCode).toBe(3);
  expect(wrong(given)).toEqual(["warning trust-installed"]);

  // `ip netns exec` lays this over /etc/docker, as another machine has its own.
  const folder = join("/etc/netns", client.name, "docker/certs.d", `registry.test:${one.port}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "ca.crt"), await readFile(one.caFile));
  for (const flags of [[], ["--ca", one.caFile]]) {
    const right = await fromClient("registry.test", ...flags);
    expect(wrong(right)).toEqual([]);
    expect(notSeen(right)).toEqual([]);
    expect(right.exitCode).toBe(0);
  }
});

it("finds a name the certificate does not have, and an address that is dead", async () => {
  const result = await fromClient("other.test", "--ca", one.caFile, "--timeout", "2");
  expect(wrong(result)).toEqual(["warning addresses-answer", "broken certificate-names", "warning trust-installed"]);
});

it("finds that nothing listens once it is down", async () => {
  await one.must(["down"]);
  const result = await one.regctl(["doctor", "--json"]);
  expect(result.exitCode).toBe(3);
  expect(wrong(result)).toContain("broken container");
  expect(wrong(result)).not.toContain("broken port-open");
});
