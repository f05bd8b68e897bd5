import { describe, expect, it } from "vitest";
import { desiredOf, fileOf, HTTP_SECRET, registryConfigOf } from "./rendered.ts";

describe("config.yml", () => {
  it("is complete, for distribution 2", () => {
    expect(registryConfigOf("name: acme\n")).toEqual({
      version: 0.1,
      log: { level: "info", formatter: "text", accesslog: { disabled: false } },
      storage: {
        filesystem: { rootdirectory: "/var/lib/registry" },
        delete: { enabled: true },
        maintenance: {
          uploadpurging: { enabled: true, age: "168h", interval: "24h", dryrun: false },
          readonly: { enabled: false },
        },
      },
      http: {
        addr: ":5000",
        secret: HTTP_SECRET,
        draintimeout: "30s",
        headers: { "X-Content-Type-Options": ["nosniff"] },
        debug: { addr: "127.0.0.1:5001" },
        tls: { certificate: "/certs/domain.crt", key: "/certs/domain.key", minimumtls: "tls1.2" },
      },
      auth: { htpasswd: { realm: "acme", path: "/auth/htpasswd" } },
      health: { storagedriver: { enabled: true, interval: "10s", threshold: 3 } },
    });
  });

  it("is the same for distribution 3, in the folder that one looks in", () => {
    const three = "name: acme\nimage: registry:3\n";
    expect(registryConfigOf(three)).toEqual(registryConfigOf("name: acme\n"));
    const folders = (text: string) =>
      desiredOf(text).container.mounts.map(({ source, target }) => `${source}:${target}`);
    expect(folders("name: acme\n")).toContain("/srv/acme/registry:/etc/docker/registry");
    expect(folders(three)).toContain("/srv/acme/registry:/etc/distribution");
    expect(desiredOf("name: acme\n").container.environment).toEqual({});
    expect(desiredOf(three).container.environment).toEqual({ OTEL_TRACES_EXPORTER: "none" });
  });

  it("never configures a descriptor cache by itself: with one in memory, garbage collection loses images", () => {
    for (const image of ["registry:2", "registry:3"]) {
      expect(registryConfigOf(`image: ${image}\n`).storage).not.toHaveProperty("cache");
    }
  });

  it("takes another storage in place of the file system, and mounts no folder for it", () => {
    const text = "registry: { storage: { s3: { region: r, bucket: b }, delete: { enabled: false } } }\n";
    expect(registryConfigOf(text).storage).toEqual({
      s3: { region: "r", bucket: "b" },
      delete: { enabled: false },
      maintenance: expect.objectContaining({ readonly: { enabled: false } }),
    });
    expect(desiredOf(text).container.mounts.map(({ target }) => target)).not.toContain("/var/lib/registry");
    expect(desiredOf("").container.mounts.map(({ target }) => target)).toContain("/var/lib/registry");
  });

  it("lays what the user says over it, key by key; lists are replaced", () => {
    const rendered = registryConfigOf(
      [
        "registry:",
        "  log: { level: warn, fields: { service: r } }",
        "  http:",
        "    headers: { X-Content-Type-Options: [off], X-Mine: [a, b] }",
        "    draintimeout: 60s",
        "  storage: { filesystem: { maxthreads: 200 } }",
      ].join("\n"),
    );
    expect(rendered.log).toEqual({
      ...{ level: "warn", formatter: "text", accesslog: { disabled: false }, fields: { service: "r" } },
    });
    expect(rendered.http).toMatchObject({
      headers: { "X-Content-Type-Options": ["off"], "X-Mine": ["a", "b"] },
      draintimeout: "60s",
      addr: ":5000",
      secret: HTTP_SECRET,
    });
    expect(rendered.storage).toMatchObject({ filesystem: { rootdirectory: "/var/lib/registry", maxthreads: 200 } });
  });

  it("leaves out TLS and its folder without TLS", () => {
    const text = "bind: 127.0.0.1\ntls: { mode: none }\n";
    expect(registryConfigOf(text).http).not.toHaveProperty("tls");
    const { container } = desiredOf(text, { certificateFingerprint: undefined, hidesAuthorityKey: false });
    expect(container.mounts.map(({ target }) => target)).toEqual([
      "/etc/docker/registry",
      "/auth",
      "/var/lib/registry",
    ]);
  });

  it("leaves out users and their folder without users", () => {
    const text = "bind: 127.0.0.1\nauth: { mode: none }\n";
    expect(registryConfigOf(text)).not.toHaveProperty("auth");
    expect(desiredOf(text).container.mounts.map(({ target }) => target)).not.toContain("/auth");
  });

  it("keeps text that YAML 1.1 reads as something else", () => {
    const rendered = registryConfigOf(
      'auth: { realm: "no" }\nregistry: { log: { fields: { a: "on", b: "1e3", c: "0x1" } } }\n',
    );
    expect(rendered.auth).toMatchObject({ htpasswd: { realm: "no" } });
    expect(rendered.log).toMatchObject({ fields: { a: "on", b: "1e3", c: "0x1" } });
    expect(fileOf(desiredOf('auth: { realm: "no" }\n'), "registry/config.yml")).toMatch(/realm: ['"]no['"]/);
  });

  it("is where a changed listening port and health address are taken from", () => {
    const { container } = desiredOf("port: 443\nregistry: { http: { addr: ':6000', debug: { addr: ':6001' } } }\n");
    expect(container.ports).toEqual([{ hostAddress: "0.0.0.0", hostPort: 443, containerPort: 6000 }]);
    expect(container.healthCheck?.command.at(-1)).toBe("http://127.0.0.1:6001/debug/health");
  });

  it("is the only rendered file with a secret in it", () => {
    const desired = desiredOf("name: acme\n");
    expect(desired.files.map(({ path, secret }) => [path, secret])).toEqual([
      ["registry/config.yml", true],
      ["compose.yaml", false],
    ]);
    expect(fileOf(desired, "compose.yaml")).not.toContain(HTTP_SECRET);
    expect(JSON.stringify(desired.container)).not.toContain(HTTP_SECRET);
  });
});
