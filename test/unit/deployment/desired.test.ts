import { describe, expect, it } from "vitest";
import * as labels from "../../../src/deployment/labels.ts";
import { containerName, networkName, nextName } from "../../../src/deployment/names.ts";
import { desiredOf } from "./rendered.ts";

const BASE = "name: acme\nport: 5000\nregistry:\n  log:\n    level: info\n";

describe("names on the engine", () => {
  it("are literally these, for years: containers and labels outlive versions of regctl", () => {
    expect(containerName("acme", "registry")).toBe("acme-registry-1");
    expect(nextName(containerName("acme", "registry"))).toBe("acme-registry-1-next");
    expect(networkName("acme")).toBe("acme_default");
    expect({
      deployment: labels.DEPLOYMENT_LABEL,
      directory: labels.DIRECTORY_LABEL,
      service: labels.SERVICE_LABEL,
      spec: labels.SPEC_LABEL,
      configuration: labels.CONFIGURATION_LABEL,
      certificate: labels.CERTIFICATE_LABEL,
    }).toEqual({
      deployment: "io.regctl.deployment",
      directory: "io.regctl.directory",
      service: "io.regctl.service",
      spec: "io.regctl.spec",
      configuration: "io.regctl.configuration",
      certificate: "io.regctl.certificate",
    });
  });
});

describe("desiredState", () => {
  it("asks for a container that can do little", () => {
    expect(desiredOf(BASE).container).toMatchObject({
      name: "acme-registry-1",
      user: "1000:1000",
      readOnlyRoot: true,
      dropCapabilities: ["ALL"],
      securityOptions: ["no-new-privileges"],
      restart: "unless-stopped",
      logRotation: { maxSize: "10m", maxFiles: 3 },
      network: { name: "acme_default", aliases: ["registry"] },
    });
    expect(desiredOf(BASE).container.mounts.filter(({ readOnly }) => !readOnly)).toEqual([
      { source: "/srv/acme/data", target: "/var/lib/registry", readOnly: false },
    ]);
  });

  it("waits longer for the end of the container than the registry for its uploads", () => {
    expect(desiredOf(BASE).container.stopTimeoutSeconds).toBeGreaterThan(30);
  });

  it("hides the CA key from the container", () => {
    const hidden = { source: "/dev/null", target: "/certs/ca.key", readOnly: true };
    expect(desiredOf(BASE).container.mounts).toContainEqual(hidden);
    expect(desiredOf(BASE, { hidesAuthorityKey: false }).container.mounts).not.toContainEqual(hidden);
  });

  it.each<[string, string]>([
    ["comments", `# more\n${BASE}# and more\n`],
    ["blank lines and spaces", BASE.replaceAll("\n", "\n\n").replace("5000", "  5000")],
    ["the order of regctl's own keys", `port: 5000\nname: acme\n${BASE.slice(BASE.indexOf("registry"))}`],
    ["another way to write the same", "{name: acme, port: 5_000, registry: {log: {level: info}}}".replace("_", "")],
    ["a default that is spelled out", `${BASE}domain: localhost\nimage: registry:2\n`],
    ["the cost of passwords to come", `${BASE}auth: { bcryptCost: 12 }\n`],
  ])("does not change with %s", (_, text) => {
    expect(desiredOf(text)).toEqual(desiredOf(BASE));
  });

  it.each<[string, string, readonly string[]]>([
    ["the port", BASE.replace("5000", "5001"), [labels.SPEC_LABEL]],
    ["the address", `${BASE}bind: 127.0.0.1\n`, [labels.SPEC_LABEL]],
    ["the image", `${BASE}image: registry:2.8\n`, [labels.SPEC_LABEL]],
    ["the user", `${BASE}user: "1:1"\n`, [labels.SPEC_LABEL]],
    ["the data folder", `${BASE}data: /mnt/data\n`, [labels.SPEC_LABEL]],
    ["the log level", BASE.replace("info", "debug"), [labels.CONFIGURATION_LABEL]],
    ["the realm", `${BASE}auth: { realm: r }\n`, [labels.CONFIGURATION_LABEL]],
  ])("changes with %s, and says in its labels what changed", (_, text, changed) => {
    const of = (source: string) => desiredOf(source).container.labels;
    const ours = Object.keys(of(BASE)).filter((label) => label.startsWith("io.regctl."));
    expect(ours.filter((label) => of(text)[label] !== of(BASE)[label])).toEqual(changed);
  });

  it("changes its certificate label with the certificate alone", () => {
    const other = desiredOf(BASE, { certificateFingerprint: "e".repeat(32) }).container.labels;
    const { labels: own } = desiredOf(BASE).container;
    expect(Object.keys(own).filter((label) => label.startsWith("io.regctl.") && own[label] !== other[label])).toEqual([
      labels.CERTIFICATE_LABEL,
    ]);
  });
});
