/** A registry that asks for client certificates, and what `regctl doctor --from-client` finds of them in certs.d. */
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { leafExtensions, makeDated, makeIssued, makeRoot, openWorkshop } from "../contract/pki/openssl.ts";
import { configuredRegistry } from "../support/configured-registry.ts";
import { findingsIn, notSeenIn } from "../support/doctor-report.ts";
import { keep } from "../support/keep.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { regctl } from "../support/regctl.ts";

const workshop = openWorkshop();
const file = (name: string) => join(workshop.directory, name);
const FOR_CLIENTS = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"];
let client: NetworkNamespace;
let host: string;

beforeAll(async () => {
  client = keep(await networkNamespace({}));
  for (const name of ["root", "clients", "others"]) makeRoot(workshop, name);
  makeIssued(workshop, "server", "root", { extensions: leafExtensions(`IP:${client.hostAddress}`) });
  makeIssued(workshop, "good", "clients", { extensions: FOR_CLIENTS });
  makeIssued(workshop, "stranger", "others", { extensions: FOR_CLIENTS });
  makeIssued(workshop, "forServers", "clients", { extensions: leafExtensions("DNS:a.test") });
  makeDated(workshop, "old", "clients", FOR_CLIENTS, -40, -10);
  makeDated(workshop, "early", "clients", FOR_CLIENTS, 2, 90);
  const tls = { certificate: file("server.crt"), key: file("server.key"), clientcas: [file("clients.crt")] };
  ({ host } = keep(await configuredRegistry({ http: { tls } }, client.hostAddress)));
});

afterAll(() => workshop.remove());

/** What doctor says of that certificate and that key in docker's certs.d of the client machine. */
async function lookWith(pairs: Readonly<Record<string, readonly [string, string]>>) {
  const folder = join("/etc/netns", client.name, "docker/certs.d", host);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(file("root.crt"), join(folder, "ca.crt"));
  for (const [name, [certificate, key]] of Object.entries(pairs)) {
    await cp(file(certificate), join(folder, `${name}.cert`));
    await cp(file(key), join(folder, `${name}.key`));
  }
  const result = await regctl(["doctor", "--from-client", host, "--json"], { inside: client, cwd: "/" });
  const { clientCertificate } = (JSON.parse(result.stdout) as { data: { clientCertificate: string | null } }).data;
  return {
    exitCode: result.exitCode,
    clientCertificate,
    wrong: [...findingsIn(result.stdout)].map(([id, { cause }]) => `${id}: ${cause}`),
    notSeen: notSeenIn(result.stdout),
  };
}

it("shows the pair of certs.d that the registry takes, names it, and looks at all that is behind", async () => {
  const taken = { exitCode: 0, wrong: [], notSeen: [] };
  const path = (name: string) => `/etc/docker/certs.d/${host}/${name}.cert`;
  expect(await lookWith({ client: ["good.crt", "good.key"] })).toEqual({ ...taken, clientCertificate: path("client") });
  const several = { a: ["stranger.crt", "stranger.key"], b: ["good.crt", "good.key"] } as const;
  expect(await lookWith(several)).toEqual({ ...taken, clientCertificate: path("b") });
  const shown = await regctl(["doctor", "--from-client", host], { inside: client, cwd: "/" });
  expect(shown.stdout).toContain(`client certificate shown: ${path("b")}`);
});

it("finds that there is none", async () => {
  const { exitCode, wrong } = await lookWith({});
  expect(wrong).toEqual([expect.stringMatching(/^client-certificate: .* this machine has none/)]);
  expect(exitCode).toBe(3);
});

it.each<[string, string, string, RegExp]>([
  ["of an authority the registry does not accept", "stranger.crt", "stranger.key", /its CA is not among those/],
  ["that expired", "old.crt", "old.key", /it expired on/],
  ["that is not valid yet", "early.crt", "early.key", /it is not valid before/],
  ["for servers", "forServers.crt", "forServers.key", /lacks clientAuth/],
  ["with the key of another", "good.crt", "stranger.key", /the key is another certificate's/],
  ["whose key is none", "good.crt", "root.crt", /holds a certificate, not a private key/],
])("finds a pair %s", async (_, certificate, key, cause) => {
  const { exitCode, wrong, clientCertificate } = await lookWith({ client: [certificate, key] });
  expect(wrong).toEqual([expect.stringMatching(/^client-certificate: .*client\.cert \(/)]);
  expect(wrong[0]).toMatch(cause);
  expect(clientCertificate).toBeNull();
  expect(exitCode).toBe(3);
});
