/** What `regctl doctor --from-client` sees from another machine of networks, gateways and authorities that are really broken. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leafExtensions, makeIssued, makeKey, makeRoot, openWorkshop } from "../contract/pki/openssl.ts";
import { freePorts } from "../support/addresses.ts";
import { findingsIn } from "../support/doctor-report.ts";
import { keep } from "../support/keep.ts";
import { type LiveRegistry, liveRegistry } from "../support/live-registry.ts";
import { type NetworkNamespace, networkNamespace } from "../support/network-namespace.ts";
import { nginx } from "../support/nginx.ts";
import { regctl } from "../support/regctl.ts";
import { mustRun } from "../support/run-program.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const DAY_MS = 86_400_000;
const workshop = openWorkshop();
let client: NetworkNamespace;
let ports: Map<string, number>;
let stopped: LiveRegistry;

const at = (name: string) => `${client.hostAddress}:${ports.get(name)}`;
const file = (name: string) => join(workshop.directory, name);

/** A root valid from and to so many days from now, and a certificate it signed, valid now. */
function datedRoot(name: string, from: number, to: number): void {
  const [authority, own] = [`${name}Root`, `${name}Settings`];
  makeKey(workshop, authority);
  workshop.openssl("req", "-new", "-key", `${authority}.key`, "-subj", `/CN=${authority}`, "-out", `${authority}.csr`);
  workshop.write(`${own}.index`, "");
  workshop.write(
    `${own}.cnf`,
    `[ca]\ndefault_ca=it\n[it]\ndatabase=${own}.index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
  );
  workshop.write(
    `${own}.ext`,
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
  );
  const date = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().replace(/[-:T]|\.\d+/g, "");
  const made = ["-in", `${authority}.csr`, "-extfile", `${own}.ext`, "-out", `${authority}.crt`];
  const dates = ["-startdate", date(from), "-enddate", date(to)];
  const signer = ["-selfsign", "-keyfile", `${authority}.key`, "-config", `${own}.cnf`];
  workshop.openssl("ca", "-batch", "-notext", ...signer, ...dates, ...made);
  makeIssued(workshop, name, authority, { extensions: leafExtensions(`IP:${client.hostAddress}`) });
}

const HEADERS = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; client_max_body_size 0;";

/** What follows the certificate in nginx's server, by name; `@open` and `@stopped` stand for registries. */
const SERVERS: Readonly<Record<string, string>> = {
  good: `${HEADERS} location / { proxy_pass @open; }`,
  slow: `${HEADERS} proxy_read_timeout 1s; location / { proxy_pass @stopped; }`,
  shut: `${HEADERS} location / { return 503; }`,
  nameless: "ssl_reject_handshake on;",
  lostWay: `${HEADERS} proxy_hide_header Location; location / { proxy_pass @open; }`,
  turned: `${HEADERS} if ($request_method = POST) { return 301 https://$http_host$request_uri/; } location / { proxy_pass @open; }`,
  failing: `${HEADERS} location / { proxy_pass @unwritable; }`,
  expired: `${HEADERS} location / { proxy_pass @open; }`,
  early: `${HEADERS} location / { proxy_pass @open; }`,
  ending: `${HEADERS} location / { proxy_pass @open; }`,
  mayNotSign: `${HEADERS} location / { proxy_pass @open; }`,
};

beforeAll(async () => {
  client = keep(await networkNamespace({}));
  makeRoot(workshop, "root");
  makeRoot(workshop, "cannotSign", "ec", [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,cRLSign",
    "subjectKeyIdentifier=hash",
  ]);
  for (const [name, issuer] of [
    ["good", "root"],
    ["mayNotSign", "cannotSign"],
  ] as const)
    makeIssued(workshop, name, issuer, { extensions: leafExtensions(`IP:${client.hostAddress}`) });
  datedRoot("expired", -400, -2);
  datedRoot("early", 2, 900);
  datedRoot("ending", -3000, 200);
  const [store, other] = [keep(temporaryDirectory()), keep(temporaryDirectory())];
  const open = keep(await liveRegistry({ store: store.path }));
  stopped = keep(await liveRegistry({ store: store.path }));
  // A file where the registry wants a folder: it answers, and cannot write.
  await writeFile(join(other.path, "docker"), "");
  const unwritable = keep(await liveRegistry({ store: other.path }));
  ports = await freePorts([...Object.keys(SERVERS), "filtered"]);
  const servers = Object.entries(SERVERS).map(([name, rest]) => {
    const own = ["expired", "early", "ending", "mayNotSign"].includes(name) ? name : "good";
    const tls = `ssl_certificate ${file(`${own}.crt`)}; ssl_certificate_key ${file(`${own}.key`)};`;
    const body = rest
      .replaceAll("@open", open.url)
      .replaceAll("@stopped", stopped.url)
      .replaceAll("@unwritable", unwritable.url);
    return `server { listen ${at(name)} ssl; ${tls} ${body} }`;
  });
  const readyAt = { address: client.hostAddress, port: ports.get("good") as number };
  keep(await nginx({ servers: servers.join("\n"), readyAt }));
  process.kill(stopped.pid() as number, "SIGSTOP");
  // Its registry cannot be reached and its DNS server never answers: packets are dropped, nobody refuses anything.
  await writeFile(`/etc/netns/${client.name}/resolv.conf`, "nameserver 192.0.2.53\noptions timeout:1 attempts:1\n");
  const drop = (...match: string[]) =>
    mustRun("iptables", ["-A", "OUTPUT", ...match, "-j", "DROP"], { inside: client });
  await drop("-p", "tcp", "--dport", String(ports.get("filtered")));
  await drop("-p", "udp", "--dport", "53");
});

afterAll(() => workshop.remove());

/** What is broken or warned of, as `verdict id: cause`, and the exit code. */
async function found(target: string, authority: string) {
  const flags = ["--ca", file(`${authority}.crt`), "--timeout", "3", "--json"];
  const result = await regctl(["doctor", "--from-client", target, ...flags], { inside: client, cwd: "/" });
  const wrong = [...findingsIn(result.stdout)].filter(([id]) => id !== "trust-installed");
  expect(wrong.filter(([, { fix }]) => fix === "")).toEqual([]);
  return { exitCode: result.exitCode, wrong: wrong.map(([id, { verdict, cause }]) => `${verdict} ${id}: ${cause}`) };
}

it("has nothing to say of a healthy registry behind a gateway", async () => {
  expect((await found(at("good"), "root")).wrong).toEqual([]);
});

describe("doctor --from-client finds", () => {
  it.each<[string, string, () => string, RegExp, string?]>([
    ["a port whose packets are dropped", "broken port-open", () => at("filtered"), /silent: a firewall drops/],
    [
      "a DNS server that never answers",
      "broken name-resolves",
      () => "registry.example.com:5000",
      /no DNS server answers/,
    ],
    ["a registry that does not answer its gateway", "broken gateway-upstream", () => at("slow"), /504/],
    ["a gateway that is shut", "broken gateway-upstream", () => at("shut"), /503/],
    [
      "a gateway without a certificate for the name",
      "broken tls-handshake",
      () => at("nameless"),
      /no certificate for this name/,
    ],
    ["a push that is not told where it goes on", "broken upload-begins", () => at("lostWay"), /Location is missing/],
    ["a push that is redirected", "broken upload-begins", () => at("turned"), /begins with 301/],
    ["a storage that cannot be written", "broken upload-begins", () => at("failing"), /fails at once with 500/],
    [
      "a CA that expired",
      "broken authority-dates",
      () => at("expired"),
      /the CA CN=expiredRoot expired/,
      "expiredRoot",
    ],
    [
      "a CA that is not valid yet",
      "broken authority-dates",
      () => at("early"),
      /CN=earlyRoot is not valid before/,
      "earlyRoot",
    ],
    [
      "a CA that ends within a year",
      "warning authority-dates",
      () => at("ending"),
      /CN=endingRoot ends in/,
      "endingRoot",
    ],
    [
      "a CA that may not sign",
      "broken authority-is-ca",
      () => at("mayNotSign"),
      /CN=cannotSign was given as the CA and is none/,
      "cannotSign",
    ],
  ])("%s", async (_, expected, target, cause, authority = "root") => {
    const { exitCode, wrong } = await found(target(), authority);
    expect(wrong).toEqual([expect.stringContaining(`${expected}: `)]);
    expect(wrong[0]).toMatch(cause);
    expect(exitCode).toBe(3);
  });
});
