/** Certificates that clients refuse, made by openssl and served by a real nginx, as `doctor` sees them. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts, type HostAddress, hostAddress } from "../../support/addresses.ts";
import { configuredRegistry } from "../../support/configured-registry.ts";
import { findings, look } from "../../support/doctor.ts";
import { keep } from "../../support/keep.ts";
import { nginx } from "../../support/nginx.ts";
import {
  intermediateExtensions,
  leafExtensions,
  makeDated,
  makeForgeLeaf,
  makeIssued,
  makeRoot,
  openWorkshop,
} from "../pki/openssl.ts";

afterAll(() => workshop.remove());

const workshop = openWorkshop();
let host: HostAddress;
let ports: Map<string, number>;

const without = (...names: string[]) =>
  leafExtensions(`IP:${host.address}`).filter((line) => !names.some((name) => line.startsWith(name)));
const pem = (...names: string[]) => names.map((name) => workshop.text(`${name}.crt`)).join("");
const chainFile = (name: string, ...members: string[]) => workshop.write(`${name}.pem`, pem(...members));

/** Makes what a server sends: the file of its certificates and whose key it is. */
const MADE: Readonly<Record<string, () => void>> = {
  good: () => makeIssued(workshop, "good", "root", { extensions: leafExtensions(`IP:${host.address}`) }),
  otherName: () => makeIssued(workshop, "otherName", "root", { extensions: leafExtensions("DNS:registry.test") }),
  commonName: () =>
    makeIssued(workshop, "commonName", "root", {
      subject: `/CN=${host.address}`,
      extensions: without("subjectAltName"),
    }),
  addressAsName: () =>
    makeIssued(workshop, "addressAsName", "root", { extensions: leafExtensions(`DNS:${host.address}`) }),
  selfSigned: () =>
    makeRoot(
      workshop,
      "selfSigned",
      "ec",
      leafExtensions(`IP:${host.address}`).slice(0, 4).concat(`subjectAltName=IP:${host.address}`),
    ),
  stranger: () => makeIssued(workshop, "stranger", "other", { extensions: leafExtensions(`IP:${host.address}`) }),
  sameName: () => makeIssued(workshop, "sameName", "again", { extensions: leafExtensions(`IP:${host.address}`) }),
  incomplete: () =>
    makeIssued(workshop, "incomplete", "middle", {
      extensions: leafExtensions(`IP:${host.address}`, "authorityInfoAccess=caIssuers;URI:http://ca.test/middle.crt"),
    }),
  complete: () => {
    makeIssued(workshop, "complete", "middle", { extensions: leafExtensions(`IP:${host.address}`) });
    chainFile("complete", "complete", "middle");
  },
  withRoot: () => {
    makeIssued(workshop, "withRoot", "middle", { extensions: leafExtensions(`IP:${host.address}`) });
    chainFile("withRoot", "withRoot", "middle", "root");
  },
  surplus: () => {
    makeIssued(workshop, "surplus", "middle", { extensions: leafExtensions(`IP:${host.address}`) });
    chainFile("surplus", "surplus", "middle", "elsewhere");
  },
  disorder: () => {
    makeIssued(workshop, "disorder", "lower", { extensions: leafExtensions(`IP:${host.address}`) });
    chainFile("disorder", "disorder", "middle", "lower");
  },
  forged: () => makeForgeLeaf(workshop, "forged", "rsaroot", { type: 7, ip: host.address }),
  expired: () => makeDated(workshop, "expired", "root", without(), -40, -10),
  early: () => makeDated(workshop, "early", "root", without(), 2, 90),
  ending: () => makeDated(workshop, "ending", "root", without(), -80, 20),
  almost: () => makeDated(workshop, "almost", "root", without(), -80, 5),
  oldMiddle: () => {
    makeDated(workshop, "oldmiddle", "root", intermediateExtensions(), -400, -3);
    makeIssued(workshop, "oldMiddle", "oldmiddle", { extensions: leafExtensions(`IP:${host.address}`) });
    chainFile("oldMiddle", "oldMiddle", "oldmiddle");
  },
  sha1: () => makeIssued(workshop, "sha1", "root", { digest: "sha1", extensions: without() }),
  weak: () => makeIssued(workshop, "weak", "root", { kind: "rsa1024", extensions: without() }),
  long: () => makeIssued(workshop, "long", "root", { days: 900, extensions: without() }),
  noUsage: () => makeIssued(workshop, "noUsage", "root", { extensions: without("extendedKeyUsage") }),
  clientOnly: () =>
    makeIssued(workshop, "clientOnly", "root", {
      extensions: [...without("extendedKeyUsage"), "extendedKeyUsage=clientAuth"],
    }),
  negative: () => makeIssued(workshop, "negative", "root", { serial: "-5", extensions: without() }),
  noKeyId: () =>
    makeIssued(workshop, "noKeyId", "root", {
      extensions: [...without("authorityKeyIdentifier"), "authorityKeyIdentifier=none"],
    }),
  bareCa: () => makeIssued(workshop, "bareCa", "bare", { extensions: without() }),
  notCa: () => makeIssued(workshop, "notCa", "root", { extensions: without() }),
};

const at = (name: string) => `${host.address}:${ports.get(name)}`;

beforeAll(async () => {
  host = keep(await hostAddress());
  for (const name of ["root", "other", "elsewhere"]) makeRoot(workshop, name);
  makeRoot(workshop, "rsaroot", "rsa");
  makeRoot(workshop, "bare", "ec", ["basicConstraints=critical,CA:TRUE", "subjectKeyIdentifier=hash"]);
  // The same name as root, and another key.
  makeRoot(workshop, "again", "ec", undefined, "root");
  makeIssued(workshop, "middle", "root", { extensions: intermediateExtensions(), days: 1000 });
  makeIssued(workshop, "lower", "middle", { extensions: intermediateExtensions(), days: 1000 });
  for (const make of Object.values(MADE)) make();
  // Pushes play no part here, and most of the time of a look goes into trying one.
  const storage = { inmemory: {}, maintenance: { readonly: { enabled: true } } };
  const registry = keep(await configuredRegistry({ storage }));
  ports = await freePorts(Object.keys(MADE));
  const headers =
    "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; client_max_body_size 0;";
  const servers = Object.keys(MADE).map((name) => {
    const file = join(
      workshop.directory,
      ["complete", "withRoot", "surplus", "disorder", "oldMiddle"].includes(name) ? `${name}.pem` : `${name}.crt`,
    );
    const tls = `ssl_certificate ${file}; ssl_certificate_key ${join(workshop.directory, name)}.key;`;
    return `server { listen ${at(name)} ssl; ${tls} ${headers} location / { proxy_pass ${registry.url}; } }`;
  });
  keep(
    await nginx({
      servers: servers.join("\n"),
      readyAt: { address: host.address, port: ports.get("notCa") as number },
    }),
  );
}, 60_000);

describe("doctor has nothing to say of", () => {
  it.each(["good", "complete", "withRoot"])("%s", async (name) => {
    expect(findings(await look(at(name), { ca: pem("root") }))).toEqual([]);
  });
});

describe("doctor finds", () => {
  it.each<[string, string, RegExp, string?]>([
    [
      "otherName",
      "broken certificate-names",
      /10\.253\.\d+\.\d+ is an address and the certificate is for registry\.test/,
    ],
    ["commonName", "broken certificate-names", /names no host in subjectAltName, only CN=10\./],
    ["addressAsName", "broken certificate-names", /as a DNS name/],
    ["stranger", "broken certificate-authority", /signed by O=test, CN=other, which is not among/],
    ["sameName", "broken certificate-authority", /another CA with the same name/],
    ["incomplete", "broken certificate-chain", /the issuer of CN=incomplete is missing: CN=middle/],
    ["surplus", "warning certificate-order", /nothing to do with its own: O=test, CN=elsewhere/],
    ["disorder", "warning certificate-order", /out of order/],
    ["forged", "broken authority-key-id", /another CA's key identifier/, "rsaroot"],
    ["expired", "broken certificate-dates", /expired on/],
    ["early", "broken certificate-dates", /is not valid before/],
    ["ending", "warning certificate-dates", /ends in (19|20) days/],
    ["almost", "warning certificate-dates", /ends in only (4|5) days/],
    ["oldMiddle", "broken authority-dates", /the intermediate CN=oldmiddle expired/],
    ["sha1", "broken certificate-strength", /SHA1/i],
    ["weak", "broken certificate-strength", /1024 bits/],
    ["long", "warning certificate-lifetime", /900 days/],
    ["noUsage", "warning certificate-usage", /no extended key usage/],
    ["clientOnly", "broken certificate-usage", /lacks serverAuth/],
    ["negative", "broken certificate-serial", /negative serial/],
    ["noKeyId", "warning strict-clients", /no authority key identifier/],
    ["bareCa", "warning strict-clients", /no keyUsage/, "bare"],
    ["notCa", "broken authority-is-ca", /CN=good was given as the CA and is none/, "good"],
  ])("%s", async (name, expected, cause, authority = "root") => {
    const report = await look(at(name), { ca: pem(authority) });
    const found = findings(report);
    expect(found).toEqual([expect.stringContaining(`${expected}: `)]);
    expect(found[0]).toMatch(cause);
    expect(report.checks.find(({ verdict, fix }) => verdict !== "ok" && fix === "")).toBeUndefined();
  });

  it("a CA nobody knows, when none is given", async () => {
    const report = await look(at("good"));
    expect(findings(report)).toEqual([expect.stringContaining("broken certificate-authority: ")]);
    const { fix } = report.checks.find(({ id }) => id === "certificate-authority") ?? { fix: "" };
    expect(fix).toContain(`/etc/docker/certs.d/${at("good")}/ca.crt`);
  });

  it("an intermediate that its CA publishes, when no CA is given", async () => {
    const report = await look(at("incomplete"));
    expect(findings(report)).toEqual([expect.stringContaining("broken certificate-chain: ")]);
    expect(report.checks.find(({ id }) => id === "certificate-chain")?.fix).toContain("http://ca.test/middle.crt");
  });

  it("a certificate signed by itself", async () => {
    expect(findings(await look(at("selfSigned")))).toEqual([
      expect.stringMatching(/^broken certificate-authority: .* is signed by itself/),
      expect.stringMatching(/^warning certificate-lifetime: /),
    ]);
  });
});
