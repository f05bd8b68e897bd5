/** Every name on the engine, made the way docker compose makes them so that both mean the same objects. */

export const REGISTRY_SERVICE = "registry";

/** The container that runs distribution's own garbage collector; there only while it does. */
export const COLLECTOR_SERVICE = "upstream-gc";

export function containerName(deployment: string, service: string): string {
  return `${deployment}-${service}-1`;
}

/** Name of a replacement until the container it replaces is gone. */
export function nextName(containerName: string): string {
  return `${containerName}-next`;
}

export function networkName(deployment: string): string {
  return `${deployment}_default`;
}
