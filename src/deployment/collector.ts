/** The container that runs distribution's own garbage collector: the registry's, with another command. Pure. */
import { CONTAINER_PATHS } from "../config/registry-config.ts";
import type { ContainerSpec } from "../engine/engine.ts";
import type { DesiredState } from "./desired.ts";
import { composeOneOffLabels, DEPLOYMENT_LABEL, DIRECTORY_LABEL, SERVICE_LABEL } from "./labels.ts";
import { COLLECTOR_SERVICE, containerName, REGISTRY_SERVICE } from "./names.ts";

export interface CollectorOptions {
  /** Major version of distribution. */
  readonly major: 2 | 3;
  /** Absolute folder of regctl.yaml. */
  readonly directory: string;
  /** `-m`; never on 2.x, where it deletes the manifests an index refers to. */
  readonly untagged: boolean;
  readonly dryRun: boolean;
  /** The deployment's network is there; it goes with `regctl down`. */
  readonly hasNetwork: boolean;
}

/**
 * Same image, user, mounts and restrictions as the registry. It publishes nothing, is known by no name on the network, and
 * a dry run cannot write. `-q`, which 2.x does not know, would silence the line that proves it ran.
 */
export function collectorContainer(desired: DesiredState, options: CollectorOptions): ContainerSpec {
  const { healthCheck: _health, logRotation: _logs, network, ...registry } = desired.container;
  const { directory } = options;
  return {
    ...registry,
    name: containerName(desired.deployment, COLLECTOR_SERVICE),
    command: [
      "garbage-collect",
      ...(options.dryRun ? ["--dry-run"] : []),
      ...(options.untagged ? ["--delete-untagged"] : []),
      `${CONTAINER_PATHS.configuration[options.major]}/config.yml`,
    ],
    labels: {
      [DEPLOYMENT_LABEL]: desired.deployment,
      [DIRECTORY_LABEL]: directory,
      [SERVICE_LABEL]: COLLECTOR_SERVICE,
      ...composeOneOffLabels(desired.deployment, REGISTRY_SERVICE, directory),
    },
    mounts: registry.mounts.map((mount) => (options.dryRun ? { ...mount, readOnly: true } : mount)),
    ports: [],
    network: network === undefined || !options.hasNetwork ? undefined : { name: network.name, aliases: [] },
    restart: "no",
    stopTimeoutSeconds: 10,
    keepsLogs: false,
  };
}
