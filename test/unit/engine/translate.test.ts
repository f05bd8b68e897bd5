import type { ContainerInspectInfo } from "dockerode";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContainerSpec } from "../../../src/engine/engine.ts";
import {
  hasLabels,
  toCreateBody,
  toMemoryBytes,
  toObservedContainer,
  toObservedImage,
} from "../../../src/engine/translate.ts";

const SPEC: ContainerSpec = {
  name: "acme-registry",
  image: "registry:2",
  command: ["serve", "/etc/docker/registry/config.yml"],
  entrypoint: ["/entrypoint.sh"],
  user: "1000:1000",
  environment: { OTEL: "none", EMPTY: "", EQUALS: "a=b" },
  labels: { "io.regctl.deployment": "acme" },
  mounts: [{ source: "/srv/acme/certs", target: "/certs", readOnly: true }],
  ports: [
    { hostAddress: "127.0.0.1", hostPort: 5000, containerPort: 5000 },
    { hostAddress: "10.0.0.1", hostPort: 5001, containerPort: 5000 },
  ],
  network: { name: "acme", aliases: ["registry"] },
  readOnlyRoot: true,
  dropCapabilities: ["ALL"],
  securityOptions: ["no-new-privileges:true"],
  restart: "unless-stopped",
  stopTimeoutSeconds: 45,
  healthCheck: {
    command: ["wget", "-q", "x y"],
    intervalSeconds: 30,
    timeoutSeconds: 2.5,
    retries: 3,
    startPeriodSeconds: 0,
  },
  logRotation: { maxSize: "10m", maxFiles: 3 },
  init: true,
};

describe("toCreateBody", () => {
  it("asks for all of a container, in the Engine API's terms", () => {
    expect(toCreateBody(SPEC)).toEqual({
      Image: "registry:2",
      Cmd: ["serve", "/etc/docker/registry/config.yml"],
      Entrypoint: ["/entrypoint.sh"],
      User: "1000:1000",
      Env: ["OTEL=none", "EMPTY=", "EQUALS=a=b"],
      Labels: { "io.regctl.deployment": "acme" },
      ExposedPorts: { "5000/tcp": {} },
      StopTimeout: 45,
      Healthcheck: {
        Test: ["CMD", "wget", "-q", "x y"],
        Interval: 30_000_000_000,
        Timeout: 2_500_000_000,
        Retries: 3,
        StartPeriod: 0,
      },
      HostConfig: {
        Mounts: [{ Type: "bind", Source: "/srv/acme/certs", Target: "/certs", ReadOnly: true }],
        PortBindings: {
          "5000/tcp": [
            { HostIp: "127.0.0.1", HostPort: "5000" },
            { HostIp: "10.0.0.1", HostPort: "5001" },
          ],
        },
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        RestartPolicy: { Name: "unless-stopped" },
        Init: true,
        NetworkMode: "acme",
        LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      },
      NetworkingConfig: { EndpointsConfig: { acme: { Aliases: ["registry"] } } },
    });
  });

  it("leaves to the image and the engine what is not asked for", () => {
    const { command, entrypoint, user, network, healthCheck, logRotation, ...few } = SPEC;
    const body = toCreateBody(few);
    const absent = ["Cmd", "Entrypoint", "User", "Healthcheck", "NetworkingConfig"];
    expect(absent.filter((key) => key in body)).toEqual([]);
    expect(Object.keys(body.HostConfig ?? {})).not.toEqual(expect.arrayContaining(["NetworkMode"]));
    expect(body.HostConfig).not.toHaveProperty("LogConfig");
  });

  it("never uses Binds, which would make a missing source as root", () => {
    expect(JSON.stringify(toCreateBody(SPEC))).not.toContain("Binds");
  });
});

/** What Engine 20.10 says of a container, cut down to what is read. */
function inspectOf(state: object, rest: object = {}): ContainerInspectInfo {
  return {
    Id: "0123",
    Name: "/acme-registry",
    Image: "sha256:abcd",
    RestartCount: 0,
    State: {
      Status: "running",
      Running: true,
      ExitCode: 0,
      Error: "",
      OOMKilled: false,
      StartedAt: "2026-11-20T10:00:00.123456789Z",
      ...state,
    },
    Config: { Image: "registry:2", Labels: { a: "b" }, Env: ["PATH=/bin", "SECRET=a=b"] },
    HostConfig: { PortBindings: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "5000" }] } },
    NetworkSettings: { Ports: {}, Networks: { acme: {} } },
    Mounts: [
      { Type: "bind", Source: "/srv/acme/certs", Destination: "/certs", RW: false },
      { Type: "volume", Name: "v", Source: "/var/lib/docker/volumes/v/_data", Destination: "/v", RW: true },
    ],
    ...rest,
  } as unknown as ContainerInspectInfo;
}

describe("toObservedContainer", () => {
  it("reads what the engine says", () => {
    expect(toObservedContainer(inspectOf({}))).toEqual({
      id: "0123",
      name: "acme-registry",
      image: "registry:2",
      imageId: "sha256:abcd",
      labels: { a: "b" },
      environment: ["PATH", "SECRET"],
      state: "running",
      health: "none",
      healthOutput: "",
      exitCode: 0,
      error: "",
      outOfMemory: false,
      restartCount: 0,
      startedAt: "2026-11-20T10:00:00.123456789Z",
      ports: [{ hostAddress: "127.0.0.1", hostPort: 5000, containerPort: 5000 }],
      networks: ["acme"],
      mounts: [{ source: "/srv/acme/certs", target: "/certs", readOnly: true }],
    });
  });

  it("gives the output of the last probe that failed, not of the last probe", () => {
    const Log = [
      { ExitCode: 1, Output: "first" },
      { ExitCode: 1, Output: "connection refused\n" },
      { ExitCode: 0, Output: "ok" },
    ];
    expect(toObservedContainer(inspectOf({ Health: { Status: "healthy", FailingStreak: 0, Log } }))).toMatchObject({
      health: "healthy",
      healthOutput: "connection refused",
    });
    expect(toObservedContainer(inspectOf({ Health: { Status: "starting", Log: null } }))).toMatchObject({
      health: "starting",
      healthOutput: "",
    });
  });

  it("has no start time before the first start", () => {
    expect(toObservedContainer(inspectOf({ Status: "created", StartedAt: "0001-01-01T00:00:00Z" })).startedAt).toBe("");
  });

  it.each([
    [{ Status: "stopping", Running: true }, "running"],
    [{ Status: "configured", Running: false }, "exited"],
    [{ Status: "restarting", Running: true }, "restarting"],
  ])("brings Podman's states %j to one it knows", (state, expected) => {
    expect(toObservedContainer(inspectOf(state)).state).toBe(expected);
  });

  it("tells the port the engine chose, and an address that was left open", () => {
    const changed = inspectOf(
      {},
      {
        HostConfig: { PortBindings: { "5000/tcp": [{ HostIp: "", HostPort: "" }], "6000/tcp": null } },
        NetworkSettings: { Ports: { "5000/tcp": [{ HostIp: "0.0.0.0", HostPort: "32768" }] }, Networks: null },
      },
    );
    expect(toObservedContainer(changed)).toMatchObject({
      ports: [{ hostAddress: "0.0.0.0", hostPort: 32_768, containerPort: 5000 }],
      networks: [],
    });
  });
});

describe("toObservedImage", () => {
  it("does without the parts an image may lack", () => {
    const image = { Id: "sha256:0", RepoTags: null, RepoDigests: null, Size: 7, Architecture: "arm64", Config: null };
    expect(toObservedImage(image as never)).toEqual({
      id: "sha256:0",
      tags: [],
      repoDigests: [],
      sizeBytes: 7,
      architecture: "arm64",
      labels: {},
      created: "",
    });
  });
});

describe("toMemoryBytes", () => {
  it.each([
    ["cgroup v1", { usage: 100, stats: { total_inactive_file: 30, inactive_file: 5, cache: 60 } }, 70],
    ["cgroup v2", { usage: 100, stats: { inactive_file: 25, file: 60 } }, 75],
    ["an old kernel", { usage: 100, stats: { cache: 60 } }, 40],
    ["a nonsensical cache", { usage: 100, stats: { inactive_file: 500 } }, 100],
    ["a container that does not run", {}, 0],
    ["no statistics", undefined, 0],
  ])("leaves the page cache out: %s", (_title, memory, expected) => {
    expect(toMemoryBytes(memory)).toBe(expected);
  });
});

describe("hasLabels", () => {
  it("holds for every part of a set of labels, and for no other value", () => {
    const labels = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(labels, fc.func(fc.boolean()), (all, isWanted) => {
        const wanted = Object.fromEntries(Object.entries(all).filter(([name]) => isWanted(name)));
        expect(hasLabels(all, wanted)).toBe(true);
        for (const name of Object.keys(wanted))
          expect(hasLabels(all, { ...wanted, [name]: `${wanted[name]}x` })).toBe(false);
      }),
    );
  });

  it("does not take what every object inherits for a label", () => {
    expect(hasLabels({}, { constructor: String(Object) })).toBe(false);
  });
});
