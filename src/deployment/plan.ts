/** (desired, observed) -> what has to change, as a value: printed by --dry-run and `status`, carried out by apply. Pure. */
import type { ContainerSpec, NetworkSpec, ObservedContainer, ObservedNetwork } from "../engine/engine.ts";
import type { DesiredState } from "./desired.ts";
import {
  CERTIFICATE_LABEL,
  CLIENT_AUTHORITIES_LABEL,
  COMPOSE_IMAGE_LABEL,
  CONFIGURATION_LABEL,
  SPEC_LABEL,
} from "./labels.ts";
import { nextName } from "./names.ts";
import type { ObservedState } from "./observed.ts";

export type Step =
  | { readonly action: "create-network"; readonly network: NetworkSpec; readonly because: string }
  | { readonly action: "remove-network"; readonly network: ObservedNetwork; readonly because: string }
  | { readonly action: "create-container"; readonly container: ContainerSpec; readonly because: string }
  | { readonly action: "start-container"; readonly container: ObservedContainer; readonly because: string }
  | {
      readonly action: "replace-container";
      readonly container: ContainerSpec;
      readonly old: ObservedContainer;
      readonly because: string;
    }
  | {
      readonly action: "rename-container";
      readonly container: ObservedContainer;
      readonly name: string;
      readonly because: string;
    }
  | { readonly action: "remove-container"; readonly container: ObservedContainer; readonly because: string };

export interface Plan {
  readonly steps: readonly Step[];
}

function portsText(ports: ContainerSpec["ports"]): string {
  return ports.map((port) => `${port.hostAddress}:${port.hostPort}->${port.containerPort}`).join(", ") || "none";
}

/** Podman tells the name of an image in full, with the registry it took it to be of. */
function isSameImage(observed: string, wanted: string): boolean {
  return ["", "localhost/", "docker.io/", "docker.io/library/"].some((prefix) => observed === `${prefix}${wanted}`);
}

/** Why a container no longer is what was asked for; undefined = it is. The most telling reasons come first. */
function divergence(spec: ContainerSpec, observed: ObservedContainer, imageId: string | undefined): string | undefined {
  const reasons: string[] = [];
  if (!isSameImage(observed.image, spec.image)) reasons.push(`image changed (${observed.image} -> ${spec.image})`);
  else if (imageId !== undefined && observed.imageId !== imageId) reasons.push(`image ${spec.image} was updated`);
  // A stopped container publishes nothing, so its ports say nothing.
  if (observed.state === "running" && portsText(spec.ports) !== portsText(observed.ports)) {
    reasons.push(`port changed (${portsText(observed.ports)} -> ${portsText(spec.ports)})`);
  }
  if (spec.labels[CONFIGURATION_LABEL] !== observed.labels[CONFIGURATION_LABEL])
    reasons.push("registry/config.yml changed");
  if (spec.labels[CERTIFICATE_LABEL] !== observed.labels[CERTIFICATE_LABEL]) reasons.push("certificate changed");
  if (spec.labels[CLIENT_AUTHORITIES_LABEL] !== observed.labels[CLIENT_AUTHORITIES_LABEL])
    reasons.push("accepted client certificates changed");
  if (reasons.length === 0 && spec.labels[SPEC_LABEL] !== observed.labels[SPEC_LABEL])
    reasons.push("container settings changed");
  return reasons.length === 0 ? undefined : reasons.join(", ");
}

/** Every step from what runs to what should run; none when they agree. */
export function planChanges(desired: DesiredState, observed: ObservedState): Plan {
  const steps: Step[] = [];
  const { imageId } = observed;
  const spec: ContainerSpec =
    imageId === undefined
      ? desired.container
      : { ...desired.container, labels: { ...desired.container.labels, [COMPOSE_IMAGE_LABEL]: imageId } };
  const current = observed.containers.find((container) => container.name === spec.name);
  const next = observed.containers.find((container) => container.name === nextName(spec.name));

  if (observed.network === undefined) {
    steps.push({ action: "create-network", network: desired.network, because: "not found" });
  }
  for (const container of observed.containers) {
    if (container === current || (container === next && current === undefined)) continue;
    const because = container === next ? "left by an interrupted replacement" : "no longer declared";
    steps.push({ action: "remove-container", container, because });
  }

  for (const network of observed.formerNetworks)
    steps.push({ action: "remove-network", network, because: "of a former name" });

  const survivor = current ?? next;
  if (survivor === undefined) {
    steps.push({ action: "create-container", container: spec, because: "not found" });
    return { steps };
  }
  const reason = divergence(spec, survivor, imageId);
  if (current === undefined)
    steps.push({
      action: "rename-container",
      container: survivor,
      name: spec.name,
      because: "its replacement was interrupted",
    });
  if (reason !== undefined)
    steps.push({ action: "replace-container", container: spec, old: survivor, because: reason });
  else if (survivor.state !== "running" && survivor.state !== "restarting") {
    steps.push({ action: "start-container", container: survivor, because: `is ${survivor.state}` });
  }
  return { steps };
}

/** Removes every container and the network; the folder is never part of it. */
export function planRemoval(observed: ObservedState): Plan {
  return {
    steps: [
      ...observed.containers.map(
        (container): Step => ({ action: "remove-container", container, because: "asked for" }),
      ),
      ...observed.formerNetworks.map((network): Step => ({ action: "remove-network", network, because: "asked for" })),
      ...(observed.network === undefined
        ? []
        : [{ action: "remove-network", network: observed.network, because: "asked for" } as const]),
    ],
  };
}

/** One change as `--json` and the text plan show it. */
export interface Change {
  readonly action: "create" | "change" | "remove";
  readonly kind: "file" | "certificate" | "image" | "network" | "container";
  readonly name: string;
  readonly because: string;
}

const ACTIONS: Readonly<Record<Step["action"], Change["action"]>> = {
  "create-network": "create",
  "create-container": "create",
  "start-container": "change",
  "replace-container": "change",
  "rename-container": "change",
  "remove-container": "remove",
  "remove-network": "remove",
};

export function changeOf(step: Step): Change {
  const subject = "network" in step ? step.network : step.container;
  return {
    action: ACTIONS[step.action],
    kind: "network" in step ? "network" : "container",
    name: subject.name,
    because: step.because,
  };
}

const SIGNS: Readonly<Record<Change["action"], string>> = { create: "+", change: "~", remove: "-" };

/** `~ container  acme-registry-1   image changed (registry:2 -> registry:3)`, one line a change. */
export function renderChanges(changes: readonly Change[]): string {
  const width = Math.max(...changes.map((change) => change.name.length), 0);
  return changes
    .map(
      (change) => `  ${SIGNS[change.action]} ${change.kind.padEnd(11)} ${change.name.padEnd(width)}  ${change.because}`,
    )
    .join("\n");
}
