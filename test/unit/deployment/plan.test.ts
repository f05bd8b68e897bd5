import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DesiredState } from "../../../src/deployment/desired.ts";
import { CERTIFICATE_LABEL, CONFIGURATION_LABEL, SPEC_LABEL } from "../../../src/deployment/labels.ts";
import type { ObservedState } from "../../../src/deployment/observed.ts";
import { changeOf, planChanges, planRemoval, renderChanges } from "../../../src/deployment/plan.ts";
import type { ContainerSpec, ObservedContainer } from "../../../src/engine/engine.ts";

const LABELS = { [SPEC_LABEL]: "s1", [CONFIGURATION_LABEL]: "c1", [CERTIFICATE_LABEL]: "k1" };

const container: ContainerSpec = {
  name: "acme-registry-1",
  image: "registry:2",
  environment: {},
  labels: LABELS,
  mounts: [],
  ports: [{ hostAddress: "0.0.0.0", hostPort: 5000, containerPort: 5000 }],
  readOnlyRoot: true,
  dropCapabilities: ["ALL"],
  securityOptions: [],
  restart: "unless-stopped",
  stopTimeoutSeconds: 35,
  init: false,
};

const desired: DesiredState = {
  deployment: "acme",
  network: { name: "acme_default", labels: {} },
  container,
  files: [],
};

function running(change: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: "id-1",
    name: "acme-registry-1",
    image: "registry:2",
    imageId: "sha256:aa",
    labels: LABELS,
    environment: ["PATH"],
    state: "running",
    health: "healthy",
    healthOutput: "",
    exitCode: 0,
    error: "",
    outOfMemory: false,
    restartCount: 0,
    startedAt: "2026-11-20T00:00:00Z",
    ports: container.ports,
    networks: ["acme_default"],
    mounts: [],
    ...change,
  };
}

const NETWORK = { id: "net-1", name: "acme_default", labels: {} };

function plan(...containers: ObservedContainer[]): string {
  return text({ containers, network: NETWORK, formerNetworks: [], imageId: "sha256:aa" });
}

function text(observed: ObservedState): string {
  return renderChanges(planChanges(desired, observed).steps.map(changeOf));
}

describe("planChanges", () => {
  it("makes everything on an empty engine", () => {
    expect(text({ containers: [], network: undefined, formerNetworks: [], imageId: undefined })).toBe(
      ["  + network     acme_default     not found", "  + container   acme-registry-1  not found"].join("\n"),
    );
  });

  it("does nothing when all agree", () => {
    expect(plan(running())).toBe("");
  });

  it.each(["localhost/registry:2", "docker.io/registry:2", "docker.io/library/registry:2"])(
    "does nothing when Podman calls the image %s",
    (image) => {
      expect(plan(running({ image }))).toBe("");
    },
  );

  it("replaces a container whose image of that name is of another registry", () => {
    const image = "ghcr.io/registry:2";
    expect(plan(running({ image }))).toContain("image changed (ghcr.io/registry:2 -> registry:2)");
  });

  it.each<[string, Partial<ObservedContainer>, string]>([
    ["another image", { image: "registry:3" }, "image changed (registry:3 -> registry:2)"],
    ["a newer image of the same name", { imageId: "sha256:bb" }, "image registry:2 was updated"],
    [
      "another port",
      { ports: [{ hostAddress: "127.0.0.1", hostPort: 5001, containerPort: 5000 }] },
      "port changed (127.0.0.1:5001->5000 -> 0.0.0.0:5000->5000)",
    ],
    ["another configuration", { labels: { ...LABELS, [CONFIGURATION_LABEL]: "c0" } }, "registry/config.yml changed"],
    ["another certificate", { labels: { ...LABELS, [CERTIFICATE_LABEL]: "k0" } }, "certificate changed"],
    ["other settings", { labels: { ...LABELS, [SPEC_LABEL]: "s0" } }, "container settings changed"],
  ])("replaces a container with %s and says why", (_, change, because) => {
    expect(plan(running(change))).toBe(`  ~ container   acme-registry-1  ${because}`);
  });

  it("names every reason there is", () => {
    expect(plan(running({ image: "registry:3", labels: { ...LABELS, [CERTIFICATE_LABEL]: "k0" } }))).toContain(
      "image changed (registry:3 -> registry:2), certificate changed",
    );
  });

  it.each(["created", "exited", "dead"] as const)("starts one that is %s", (state) => {
    expect(plan(running({ state, ports: [] }))).toBe(`  ~ container   acme-registry-1  is ${state}`);
  });

  it("removes what an interrupted replacement left beside the container", () => {
    expect(plan(running(), running({ id: "id-2", name: "acme-registry-1-next" }))).toBe(
      "  - container   acme-registry-1-next  left by an interrupted replacement",
    );
  });

  it("finishes a replacement interrupted between removal and renaming", () => {
    expect(plan(running({ name: "acme-registry-1-next" }))).toBe(
      "  ~ container   acme-registry-1-next  its replacement was interrupted",
    );
  });

  it("removes a container of the deployment it does not know", () => {
    expect(plan(running(), running({ id: "id-3", name: "acme-gateway-1" }))).toBe(
      "  - container   acme-gateway-1  no longer declared",
    );
  });

  it("removes everything on request", () => {
    const removal = planRemoval({
      containers: [running()],
      network: NETWORK,
      formerNetworks: [],
      imageId: "sha256:aa",
    });
    expect(renderChanges(removal.steps.map(changeOf))).toBe(
      ["  - container   acme-registry-1  asked for", "  - network     acme_default     asked for"].join("\n"),
    );
  });
});

describe("any mix of leftovers", () => {
  const name = fc.constantFrom("acme-registry-1", "acme-registry-1-next", "acme-gateway-1");
  const observed = fc.record({
    containers: fc.uniqueArray(
      fc.record({
        name,
        state: fc.constantFrom("running" as const, "exited" as const, "created" as const),
        isCurrent: fc.boolean(),
      }),
      { selector: (one) => one.name, maxLength: 3 },
    ),
    hasNetwork: fc.boolean(),
  });

  /** The plan carried out on paper. */
  function after(state: ObservedState): ObservedState {
    let containers = [...state.containers];
    let { network } = state;
    for (const step of planChanges(desired, state).steps) {
      if (step.action === "create-network") network = NETWORK;
      if (step.action === "create-container") containers.push(running());
      if (step.action === "remove-container") containers = containers.filter((one) => one.id !== step.container.id);
      if (step.action === "start-container")
        containers = containers.map((one) =>
          one.id === step.container.id ? { ...one, state: "running", ports: container.ports } : one,
        );
      if (step.action === "rename-container")
        containers = containers.map((one) => (one.id === step.container.id ? { ...one, name: step.name } : one));
      if (step.action === "replace-container")
        containers = [...containers.filter((one) => one.id !== step.old.id), running({ id: "id-new" })];
    }
    return { ...state, containers, network };
  }

  it("is brought to the desired state by one plan, and the next one is empty", () => {
    fc.assert(
      fc.property(observed, (given) => {
        const state: ObservedState = {
          containers: given.containers.map((one, index) =>
            running({
              id: `id-${index}`,
              name: one.name,
              state: one.state,
              ports: one.state === "running" ? container.ports : [],
              labels: one.isCurrent ? LABELS : {},
            }),
          ),
          network: given.hasNetwork ? NETWORK : undefined,
          formerNetworks: [],
          imageId: "sha256:aa",
        };
        const settled = after(state);
        expect(settled.containers.map((one) => one.name)).toEqual(["acme-registry-1"]);
        expect(planChanges(desired, settled).steps).toEqual([]);
      }),
    );
  });
});
