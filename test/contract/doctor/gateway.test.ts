/** Registries behind proxies that are set up wrong, as `doctor` sees them: real registries, a real nginx. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts, type HostAddress, hostAddress } from "../../support/addresses.ts";
import { type ConfiguredRegistry, configuredRegistry } from "../../support/configured-registry.ts";
import { findings, look, notSeen } from "../../support/doctor.ts";
import { keep } from "../../support/keep.ts";
import { nginx } from "../../support/nginx.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { leafExtensions, makeIssued, makeRoot, openWorkshop } from "../pki/openssl.ts";

afterAll(() => workshop.remove());

const USER = { user: "ci", password: "right horse" };
const NEEDS_LOGIN = [
  "login-works",
  "upload-begins",
  "upload-location",
  "upload-size",
  "replica-secret",
  "replica-storage",
];
const RIGHT = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; client_max_body_size 0;";

/** Of nginx, by name: what follows `listen ADDRESS:PORT`. `@open` and such stand for registries. */
const SERVERS: Readonly<Record<string, string>> = {
  right: `ssl; ${RIGHT} location / { proxy_pass @open; }`,
  http2: `ssl http2; ${RIGHT} location / { proxy_pass @open; }`,
  login: `ssl; ${RIGHT} location / { proxy_pass @login; }`,
  plain: `; ${RIGHT} location / { proxy_pass @open; }`,
  scheme: "ssl; client_max_body_size 0; proxy_set_header Host $http_host; location / { proxy_pass @open; }",
  port: "ssl; client_max_body_size 0; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Host $host; location / { proxy_pass @open; }",
  inside: "ssl; client_max_body_size 0; proxy_set_header Host registry.inside:5000; location / { proxy_pass @open; }",
  small: `ssl; ${RIGHT.replace("client_max_body_size 0;", "")} location / { proxy_pass @open; }`,
  dead: `ssl; ${RIGHT} location / { proxy_pass http://127.0.0.1:1; }`,
  html: "ssl; location / { default_type text/html; return 200 '<html>welcome</html>'; }",
  elsewhere: "ssl; location / { return 404; }",
  redirect: "ssl; location / { return 301 file:///etc/passwd; }",
  mute: `ssl; ${RIGHT} proxy_hide_header WWW-Authenticate; location / { proxy_pass @login; }`,
  digest: "ssl; location / { add_header WWW-Authenticate 'Negotiate' always; return 401; }",
  realm: `ssl; location / { add_header WWW-Authenticate 'Bearer realm="https://@address:1/token",service="x"' always; return 401; }`,
  ownrealm: `ssl; location / { add_header WWW-Authenticate 'Bearer realm="https://127.0.0.1:5001/token",service="x"' always; return 401; }`,
  plainrealm: `ssl; location / { add_header WWW-Authenticate 'Bearer realm="http://auth.test/token\\x1b]0;"' always; return 401; }`,
  loop: `ssl; location /token { return 200 '{"token":"abc"}'; } location /v2/ { add_header WWW-Authenticate 'Bearer realm="https://@address:@port/token",service="x"' always; return 401; }`,
  secrets: `ssl; ${RIGHT} location / { proxy_pass http://secrets; }`,
  storages: `ssl; ${RIGHT} location / { proxy_pass http://storages; }`,
  mutual: `ssl; ssl_verify_client on; ssl_client_certificate @folder/ca.crt; ${RIGHT} location / { proxy_pass @open; }`,
  old: `ssl; ssl_protocols TLSv1.1; ${RIGHT} location / { proxy_pass @open; }`,
  unfit: `ssl; ${RIGHT} location / { proxy_pass @unfit; }`,
};

const workshop = openWorkshop();
let ports: Map<string, number>;
let host: HostAddress;
let ca: string;
let direct: ConfiguredRegistry;

const at = (name: string) => `${host.address}:${ports.get(name)}`;

async function withUsers(lines: string): Promise<ConfiguredRegistry> {
  const path = join(workshop.directory, `htpasswd-${lines.length}`);
  await writeFile(path, lines);
  return keep(await configuredRegistry({ auth: { htpasswd: { realm: "test", path } } }));
}

beforeAll(async () => {
  host = keep(await hostAddress());
  makeRoot(workshop, "ca");
  makeIssued(workshop, "good", "ca", { extensions: leafExtensions(`IP:${host.address}`) });
  ca = workshop.text("ca.crt");
  const tls = { certificate: join(workshop.directory, "good.crt"), key: join(workshop.directory, "good.key") };
  const store = keep(temporaryDirectory());
  const storage = { filesystem: { rootdirectory: store.path }, delete: { enabled: true } };
  const line = `ci:${await bcrypt.hash(USER.password, 4)}\n`;
  const [own, registry, other, apart, login, unfit] = await Promise.all([
    configuredRegistry({ http: { tls } }, host.address),
    configuredRegistry({ storage }),
    configuredRegistry({ storage, http: { secret: "another" } }),
    configuredRegistry({}),
    withUsers(line),
    withUsers("ci:$apr1$2ZqTQzNv$wWFk6Y0uyaN7qXaSrm2gC/\n"),
  ]);
  direct = own;
  for (const one of [own, registry, other, apart]) keep(one);
  ports = await freePorts(Object.keys(SERVERS));
  const text = Object.entries(SERVERS).map(([name, rest]) => {
    const body = rest
      .replaceAll("@open", registry.url)
      .replaceAll("@login", login.url)
      .replaceAll("@unfit", unfit.url)
      .replaceAll("@folder", workshop.directory)
      .replaceAll("@address", host.address)
      .replaceAll("@port", String(ports.get(name)));
    return `server { listen ${at(name)} ${body} }`;
  });
  const upstreams = [
    `upstream secrets { server ${registry.host}; server ${other.host}; }`,
    `upstream storages { server ${registry.host}; server ${apart.host}; }`,
    `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`,
  ];
  const readyAt = { address: host.address, port: ports.get("unfit") as number };
  keep(await nginx({ servers: [...upstreams, ...text].join("\n"), readyAt }));
}, 60_000);

describe("a healthy registry has nothing wrong", () => {
  it.each([
    ["with TLS of its own", () => direct.host],
    ["behind nginx", () => at("right")],
    ["behind nginx with HTTP/2", () => at("http2")],
  ])("%s", async (_, name) => {
    const report = await look(name(), { ca });
    expect(findings(report)).toEqual([]);
    expect(notSeen(report)).toEqual([]);
    expect(report.worst).toBe("ok");
  });

  it("with a login", async () => {
    const report = await look(at("login"), { ca, ...USER });
    expect(findings(report)).toEqual([]);
    expect(notSeen(report)).toEqual([]);
  });

  it("where it wants a login that nobody gave, which is only said", async () => {
    const report = await look(at("login"), { ca });
    expect(findings(report)).toEqual([]);
    expect(notSeen(report)).toEqual(NEEDS_LOGIN);
  });
});

describe("doctor finds", () => {
  it.each<[string, string, () => string, RegExp]>([
    ["plain HTTP on a TLS port", "broken speaks-tls", () => at("plain"), /speaks plain HTTP/],
    ["http:// to a TLS port", "broken speaks-tls", () => `http://${at("right")}`, /speaks TLS and http:\/\/ was asked/],
    ["plain HTTP where it was asked for", "warning speaks-tls", () => `http://${at("plain")}`, /reads passwords/],
    ["a lost X-Forwarded-Proto", "broken upload-location", () => at("scheme"), /X-Forwarded-Proto/],
    ["a lost port", "broken upload-location", () => at("port"), /the port is lost/],
    ["the name inside", "broken upload-location", () => at("inside"), /another host/],
    ["a limit on bodies", "broken upload-size", () => at("small"), /413/],
    ["a dead registry", "broken gateway-upstream", () => at("dead"), /502/],
    ["a web site", "broken answers-as-registry", () => at("html"), /something else than a registry/],
    ["a wrong route", "broken answers-as-registry", () => at("elsewhere"), /answers 404/],
    ["a redirect that leaves", "broken answers-as-registry", () => at("redirect"), /redirects \(301\) to "file:/],
    ["a 401 without a challenge", "broken login-challenge", () => at("mute"), /WWW-Authenticate is missing/],
    ["a login no client speaks", "broken login-challenge", () => at("digest"), /neither Basic nor Bearer/],
    ["a realm where nothing listens", "broken login-challenge", () => at("realm"), /nothing answers at/],
    ["a realm on the client itself", "broken login-challenge", () => at("ownrealm"), /every client's own machine/],
    ["a realm in plain HTTP", "broken login-challenge", () => at("plainrealm"), /not HTTPS/],
    ["replicas with secrets of their own", "broken replica-secret", () => at("secrets"), /BLOB_UPLOAD_INVALID/],
    ["replicas with storages of their own", "broken replica-storage", () => at("storages"), /BLOB_UPLOAD_UNKNOWN/],
    ["a wish for client certificates", "broken client-certificate", () => at("mutual"), /shows a client certificate/],
    ["an old TLS", "broken tls-version", () => at("old"), /TLSv1\.1/],
    ["a closed port", "broken port-open", () => `${host.address}:1`, /refuses the connection/],
    ["a name nobody has", "broken name-resolves", () => "no.such.name.invalid:5000", /is not known here/],
  ])("%s", async (_, expected, name, cause) => {
    const report = await look(name(), { ca });
    const found = findings(report);
    expect(found).toEqual([expect.stringContaining(`${expected}: `)]);
    expect(found[0]).toMatch(cause);
    expect(report.worst).toBe(expected.split(" ")[0]);
    for (const { fix } of report.checks.filter(({ verdict }) => verdict !== "ok")) expect(fix).not.toBe("");
  });

  it.each<[string, () => string, RegExp]>([
    ["a wrong password", () => at("login"), /refuses ci with 401/],
    ["a line that is not bcrypt", () => at("unfit"), /not bcrypt/],
    ["a token that is not accepted", () => at("loop"), /a token is issued to ci/],
  ])("%s", async (_, name, cause) => {
    const found = findings(await look(name(), { ca, user: "ci", password: "wrong" }));
    expect(found).toEqual([expect.stringMatching(/^broken login-works: /)]);
    expect(found[0]).toMatch(cause);
  });
});
