/** Every name on the engine, made the way docker compose makes them so that both mean the same objects. */

export const REGISTRY_SERVICE = "registry";

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
