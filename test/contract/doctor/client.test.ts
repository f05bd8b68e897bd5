/** What stands in the way on the client's own machine, as `doctor` sees it: real folders, a real registry with TLS. */
import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../../support/addresses.ts";
import { type ConfiguredRegistry, configuredRegistry } from "../../support/configured-registry.ts";
import { findings, look } from "../../support/doctor.ts";
import { keep } from "../../support/keep.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { leafExtensions, makeIssued, makeRoot, openWorkshop } from "../pki/openssl.ts";

afterAll(() => workshop.remove());

const workshop = openWorkshop();
const root = keep(temporaryDirectory());
const etc = join(root.path, "etc");
const home = join(root.path, "home");
const bin = join(root.path, "bin");
let address: HostAddress;
let registry: ConfiguredRegistry;
let ca: string;
let der: Buffer;

beforeAll(async () => {
  address = keep(await hostAddress());
  makeRoot(workshop, "ca");
  makeRoot(workshop, "other");
  makeIssued(workshop, "good", "ca", { extensions: leafExtensions(`IP:${address.address}`) });
  workshop.openssl("x509", "-in", "ca.crt", "-outform", "DER", "-out", "ca.der");
  der = workshop.bytes("ca.der");
  ca = workshop.text("ca.crt");
  const tls = { certificate: join(workshop.directory, "good.crt"), key: join(workshop.directory, "good.key") };
  const storage = { inmemory: {}, maintenance: { readonly: { enabled: true } } };
  registry = keep(await configuredRegistry({ storage, http: { tls } }, address.address));
});

beforeEach(async () => {
  for (const folder of [etc, home, bin]) await rm(folder, { recursive: true, force: true });
});

/** Files by their path below the test's folder; NAME and HOST stand for the registry's. */
async function given(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root.path, filled(path));
    await mkdir(dirname(file), { recursive: true });
    if (path.endsWith("/")) await mkdir(file, { recursive: true });
    else await writeFile(file, typeof content === "string" ? filled(content) : content);
  }
}

const filled = (text: string) => text.replaceAll("NAME", registry.host).replaceAll("HOST", address.address);
const here = (more: Readonly<Record<string, string>> = {}) => ({
  etc,
  environment: { HOME: home, PATH: bin, ...Object.fromEntries(Object.entries(more).map(([k, v]) => [k, filled(v)])) },
});

describe("a client that is set up right has nothing wrong", () => {
  it("with the CA in docker's certs.d", async () => {
    await given({
      "etc/docker/certs.d/NAME/ca.crt": ca,
      "etc/docker/certs.d/NAME/client.cert": workshop.text("good.crt"),
      "etc/docker/certs.d/NAME/client.key": workshop.text("good.key"),
      "etc/containerd/certs.d/NAME/hosts.toml": 'server = "https://NAME"\n[host."https://NAME"]\n  ca = "/x/ca.crt"\n',
      "etc/docker/daemon.json": '{"insecure-registries":["192.0.2.0/24","other:5000"]}',
      "home/.docker/config.json": '{"auths":{"https://NAME/v2/":{}},"credsStore":"pass"}',
      "bin/docker-credential-pass": "",
      "bin/docker": "",
    });
    const environment = {
      HTTPS_PROXY: "http://proxy:3128",
      NO_PROXY: "localhost,HOST",
      SSL_CERT_FILE: join(etc, "docker/certs.d/NAME/ca.crt"),
    };
    expect(findings(await look(registry.host, here(environment)))).toEqual([]);
    expect(findings(await look(registry.host, { ca, ...here(environment) }))).toEqual([]);
  });
});

describe("doctor finds on the client", () => {
  it.each<[string, string, Readonly<Record<string, string | Buffer>>, RegExp]>([
    ["a stray key", "broken trust-folder-pairs", { "etc/docker/certs.d/NAME/tls.key": "x" }, /tls\.key stands alone/],
    [
      "a stray certificate",
      "broken trust-folder-pairs",
      { "etc/containers/certs.d/NAME/a.cert": "x" },
      /a\.cert stands alone/,
    ],
    [
      "a pair nobody can load",
      "broken trust-folder-pairs",
      { "etc/docker/certs.d/NAME/client.cert": "CA", "etc/docker/certs.d/NAME/client.key": "CA" },
      /client\.cert \(.*not a private key\): docker and podman refuse/,
    ],
    [
      "a CA called ca.pem",
      "broken trust-folder-files",
      { "etc/docker/certs.d/NAME/ca.pem": "CA" },
      /ca\.pem is passed over/,
    ],
    ["a CA in DER", "broken trust-folder-files", { "etc/docker/certs.d/NAME/ca.crt": "DER" }, /is not PEM/],
    [
      "a folder without the port",
      "broken trust-folder-name",
      { "etc/docker/certs.d/HOST/ca.crt": "CA" },
      /where nobody looks/,
    ],
    [
      "a folder of podman's without the port",
      "broken trust-folder-name",
      { "home/.config/containers/certs.d/HOST/ca.crt": "CA" },
      /clients read .*containers\/certs\.d/,
    ],
    [
      "an empty folder in the way",
      "broken trust-folder-hidden",
      { "etc/docker/certs.d/NAME/ca.crt": "CA", "etc/containers/certs.d/NAME/": "" },
      /hides the CA in docker's certs\.d from podman/,
    ],
    [
      "a hosts.toml without the CA",
      "broken containerd-hosts",
      {
        "etc/containerd/certs.d/NAME/ca.crt": "CA",
        "etc/containerd/certs.d/NAME/hosts.toml": 'server = "https://NAME"\n# ca = "x"\n',
      },
      /names no CA, and ca\.crt beside it/,
    ],
    [
      "an insecure registry",
      "warning insecure-registries",
      { "etc/docker/daemon.json": '{"insecure-registries":["NAME"]}' },
      /takes any certificate/,
    ],
    [
      "an insecure network",
      "warning insecure-registries",
      { "etc/docker/daemon.json": '{"insecure-registries":["10.0.0.0/8"]}' },
      /10\.0\.0\.0\/8/,
    ],
    [
      "a broken daemon.json",
      "broken insecure-registries",
      { "etc/docker/daemon.json": '{"insecure-registries":[' },
      /not a JSON object/,
    ],
    [
      "a login for another port",
      "warning stored-login",
      { "home/.docker/config.json": '{"auths":{"HOST":{}}}' },
      /has a login for "10\./,
    ],
    ["a broken config.json", "broken stored-login", { "home/.docker/config.json": "auths" }, /not a JSON object/],
    [
      "a helper that is not there",
      "broken credential-helper",
      { "home/.docker/config.json": '{"credsStore":"osxkeychain"}' },
      /docker-credential-osxkeychain/,
    ],
    ["docker without the CA", "warning trust-installed", { "bin/docker": "" }, /in neither certs\.d nor/],
    [
      "docker with another CA",
      "warning trust-installed",
      { "bin/docker": "", "etc/docker/certs.d/NAME/ca.crt": "OTHER" },
      /is another CA/,
    ],
    ["another regctl", "warning program-name", { "bin/regctl": "#!/bin/sh" }, /another program of the same name/],
  ])("%s", async (_, expected, files, cause) => {
    const contents: Readonly<Record<string, string | Buffer>> = { CA: ca, DER: der, OTHER: workshop.text("other.crt") };
    await given(
      Object.fromEntries(Object.entries(files).map(([path, text]) => [path, contents[String(text)] ?? text])),
    );
    const report = await look(registry.host, { ca, ...here() });
    expect(findings(report)).toEqual([expect.stringContaining(`${expected}: `)]);
    expect(findings(report)[0]).toMatch(cause);
    expect(report.checks.find(({ verdict, fix }) => verdict !== "ok" && fix === "")).toBeUndefined();
  });

  it.each<[string, string, Readonly<Record<string, string>>, RegExp]>([
    [
      "a proxy",
      "warning environment-proxy",
      { https_proxy: "http://me:hush@proxy:3128", NO_PROXY: ".example.com,192.0.2.0/24" },
      /"http:\/\/proxy:3128"/,
    ],
    [
      "a bundle without the CA",
      "warning environment-trust",
      { SSL_CERT_FILE: join(workshop.directory, "other.crt") },
      /does not hold the registry's CA/,
    ],
    [
      "a bundle that is not there",
      "warning environment-trust",
      { NODE_EXTRA_CA_CERTS: "/no/such/file" },
      /cannot be read/,
    ],
  ])("%s in its environment", async (_, expected, environment, cause) => {
    const found = findings(await look(registry.host, { ca, ...here(environment) }));
    expect(found).toEqual([expect.stringContaining(`${expected}: `)]);
    expect(found[0]).toMatch(cause);
    expect(found[0]).not.toContain("hush");
  });

  it("takes our own regctl for ours, under whatever link", async () => {
    await given({ "bin/": "" });
    await symlink(join(import.meta.dirname, "../../../bin/regctl"), join(bin, "regctl"));
    expect(findings(await look(registry.host, { ca, ...here() }))).toEqual([]);
  });

  it("mends an empty folder in the way, and leaves one that was filled meanwhile", async () => {
    await given({ "etc/docker/certs.d/NAME/ca.crt": ca, "etc/containers/certs.d/NAME/": "" });
    const found = (await look(registry.host, { ca, ...here() })).checks.find(({ id }) => id === "trust-folder-hidden");
    const folder = join(etc, "containers/certs.d", registry.host);
    await writeFile(join(folder, "ca.crt"), ca);
    await expect(found?.repair?.()).rejects.toThrow(/not empty/);
    expect(existsSync(join(folder, "ca.crt"))).toBe(true);
    await rm(join(folder, "ca.crt"));
    await expect(found?.repair?.()).resolves.toContain(folder);
    expect(existsSync(folder)).toBe(false);
    expect(findings(await look(registry.host, { ca, ...here() }))).toEqual([]);
  });
});
