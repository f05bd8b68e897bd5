import { resolve } from "node:path";
import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { composeFile } from "../../../src/deployment/compose.ts";
import type { ContainerSpec } from "../../../src/engine/engine.ts";
import { DIRECTORY, desiredOf, fileOf } from "./rendered.ts";

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports: readonly Readonly<
    Record<"host_ip" | "published" | "protocol" | "mode", string> & { target: number }
  >[];
  readonly volumes: readonly {
    readonly type: string;
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
    readonly bind: { readonly create_host_path: boolean };
  }[];
  readonly networks: Readonly<Record<string, unknown>>;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly healthcheck?: Readonly<Record<"interval" | "timeout" | "start_period", string>> & {
    readonly test: readonly string[];
    readonly retries: number;
  };
  readonly logging?: { readonly driver: string; readonly options: Readonly<Record<"max-size" | "max-file", string>> };
}

interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly labels: Readonly<Record<string, string>> }>>;
}

/** What compose reads `$` as. */
function interpolated<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, child: unknown) => {
    if (typeof child !== "string") return child;
    if (/(^|[^$])(\$\$)*\$([^$]|$)/.test(child)) throw new Error(`${child} would be interpolated`);
    return child.replaceAll("$$", "$");
  }) as T;
}

const seconds = (text: string) => Number(/^(\d+)s$/.exec(text)?.[1]);

/** The container compose makes of its file, as far as both speak of it (https://docs.docker.com/reference/compose-file/services/). */
function containerOf(text: string, directory: string): { readonly spec: ContainerSpec; readonly compose: Compose } {
  const compose = interpolated(load(text)) as Compose;
  const [[name, service] = []] = Object.entries(compose.services);
  if (name === undefined || service === undefined) throw new Error("no service");
  for (const volume of service.volumes)
    expect(volume).toMatchObject({ type: "bind", bind: { create_host_path: false } });
  for (const port of service.ports) expect(port).toMatchObject({ protocol: "tcp", mode: "host" });
  expect(Object.keys(service.networks)).toEqual(["default"]);
  const spec: ContainerSpec = {
    name: `${compose.name}-${name}-1`,
    image: service.image,
    ...(service.user === undefined ? {} : { user: service.user }),
    environment: service.environment ?? {},
    labels: service.labels ?? {},
    mounts: service.volumes.map((volume) => ({
      source: resolve(directory, volume.source),
      target: volume.target,
      readOnly: volume.read_only ?? false,
    })),
    ports: service.ports.map((port) => ({
      hostAddress: port.host_ip,
      hostPort: Number(port.published),
      containerPort: port.target,
    })),
    network: { name: `${compose.name}_default`, aliases: [name] },
    readOnlyRoot: service.read_only,
    dropCapabilities: service.cap_drop,
    securityOptions: service.security_opt,
    restart: service.restart as ContainerSpec["restart"],
    stopTimeoutSeconds: seconds(service.stop_grace_period),
    ...(service.healthcheck === undefined
      ? {}
      : {
          healthCheck: {
            command: service.healthcheck.test.slice(1),
            intervalSeconds: seconds(service.healthcheck.interval),
            timeoutSeconds: seconds(service.healthcheck.timeout),
            retries: service.healthcheck.retries,
            startPeriodSeconds: seconds(service.healthcheck.start_period),
          },
        }),
    ...(service.logging === undefined
      ? {}
      : {
          logRotation: {
            maxSize: service.logging.options["max-size"],
            maxFiles: Number(service.logging.options["max-file"]),
          },
        }),
    init: false,
  };
  return { spec, compose };
}

/** Compose puts its own labels on by itself. */
const withoutComposeLabels = (spec: ContainerSpec): ContainerSpec => ({
  ...spec,
  labels: Object.fromEntries(Object.entries(spec.labels).filter(([key]) => !key.startsWith("com.docker.compose."))),
});

describe("compose.yaml", () => {
  it.each([
    ["the defaults", "name: acme\n"],
    ["distribution 3", "name: acme\nimage: registry:3\n"],
    [
      "an address and a folder elsewhere",
      "name: acme\nbind: '::1'\nport: 443\ndata: /mnt/big disk/images\nuser: '0:0'\n",
    ],
    ["neither TLS nor users", "name: acme\nbind: 127.0.0.1\ntls: { mode: none }\nauth: { mode: none }\n"],
    ["dollars", `name: acme\nregistry: { http: { debug: { addr: ':6001' } } }\ndata: /mnt/$HOME/\${x}/$$\n`],
  ])("is the same container as on the engine: %s", (_, text) => {
    const desired = desiredOf(text);
    const { spec, compose } = containerOf(fileOf(desired, "compose.yaml"), DIRECTORY);
    expect(spec).toEqual(withoutComposeLabels(desired.container));
    expect(compose.name).toBe("acme");
    expect(compose.networks.default?.labels).toEqual({ "io.regctl.deployment": "acme" });
  });

  it("is so for any spec", () => {
    const text = fc.string({
      minLength: 1,
      unit: fc.constantFrom("a", "$", "{", "}", ":", " ", "#", "'", '"', "é", "-", "0"),
    });
    const path = fc
      .array(fc.stringMatching(/^[a-z0-9$ .:'#é-]{1,8}$/), { minLength: 1, maxLength: 3 })
      .map((parts) => `/${parts.join("/")}`);
    const spec: fc.Arbitrary<ContainerSpec> = fc.record({
      name: fc.constant("acme-registry-1"),
      image: text,
      user: fc.constantFrom("0:0", "65532:65532"),
      environment: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,9}$/), text, { maxKeys: 3 }),
      labels: fc.dictionary(fc.stringMatching(/^[a-z.]{1,9}$/), text, { maxKeys: 3 }),
      mounts: fc.array(fc.record({ source: path, target: path, readOnly: fc.boolean() }), { maxLength: 3 }),
      ports: fc.array(
        fc.record({
          hostAddress: fc.constantFrom("0.0.0.0", "127.0.0.1", "::", "2001:db8::1"),
          hostPort: fc.nat(65_535),
          containerPort: fc.nat(65_535),
        }),
        { maxLength: 2 },
      ),
      network: fc.constant({ name: "acme_default", aliases: ["registry"] }),
      readOnlyRoot: fc.boolean(),
      dropCapabilities: fc.constantFrom(["ALL"], []),
      securityOptions: fc.constantFrom(["no-new-privileges"], []),
      restart: fc.constantFrom("no" as const, "unless-stopped" as const),
      stopTimeoutSeconds: fc.nat(1000),
      healthCheck: fc.record({
        command: fc.array(text, { minLength: 1, maxLength: 3 }),
        intervalSeconds: fc.nat(100),
        timeoutSeconds: fc.nat(100),
        retries: fc.nat(9),
        startPeriodSeconds: fc.nat(100),
      }),
      logRotation: fc.record({ maxSize: fc.constant("10m"), maxFiles: fc.integer({ min: 1, max: 9 }) }),
      init: fc.constant(false),
    });
    const network = { name: "acme_default", labels: {} };
    fc.assert(
      fc.property(spec, (given) => {
        const sources = given.mounts.map((mount) => ({ ...mount, source: resolve(mount.source) }));
        const normal = { ...given, mounts: sources };
        const file = composeFile("acme", DIRECTORY, "registry", normal, network);
        expect(containerOf(file, DIRECTORY).spec).toEqual(normal);
      }),
    );
  });

  it("names what is in its folder by relative paths, so that the folder can be moved", () => {
    const desired = desiredOf("name: acme\n");
    const { compose } = containerOf(fileOf(desired, "compose.yaml"), DIRECTORY);
    expect(compose.services.registry?.volumes.map(({ source }) => source)).toEqual([
      ...["./registry", "./auth", "./certs", "/dev/null", "./data"],
    ]);
  });

  it("says where to change it, and that it needs no regctl", () => {
    expect(fileOf(desiredOf(""), "compose.yaml")).toMatch(
      /^# Rendered by regctl from regctl.yaml: .*\n# It needs no regctl/,
    );
  });
});
