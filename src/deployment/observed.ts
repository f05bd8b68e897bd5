/** One read of what runs: everything the planner needs, so that planning makes no call. */
import type { CallOptions, Engine, ObservedContainer, ObservedNetwork } from "../engine/engine.ts";
import { DEPLOYMENT_LABEL, DIRECTORY_LABEL } from "./labels.ts";
import { networkName } from "./names.ts";

export interface ObservedState {
  /** Containers that carry the deployment's label, running or not. */
  readonly containers: readonly ObservedContainer[];
  readonly network: ObservedNetwork | undefined;
  /** `sha256:…` of the image the desired reference means on this engine now; undefined = not there. */
  readonly imageId: string | undefined;
}

export async function observe(
  engine: Engine,
  deployment: string,
  image: string,
  options: CallOptions = {},
): Promise<ObservedState> {
  const [containers, network, found] = await Promise.all([
    engine.containers.list({ [DEPLOYMENT_LABEL]: deployment }, options),
    engine.networks.inspect(networkName(deployment), options),
    engine.images.inspect(image, options),
  ]);
  return { containers, network, imageId: found?.id };
}

export interface FoundDeployment {
  readonly name: string;
  readonly directory: string;
  readonly containers: readonly ObservedContainer[];
}

/** Every deployment whose containers this engine has, by name. */
export async function listDeployments(engine: Engine, options: CallOptions = {}): Promise<FoundDeployment[]> {
  const found = new Map<string, ObservedContainer[]>();
  for (const container of await engine.containers.list({ [DEPLOYMENT_LABEL]: true }, options)) {
    const name = container.labels[DEPLOYMENT_LABEL];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), container]);
  }
  return [...found.entries()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, containers]) => ({ name, directory: containers[0]?.labels[DIRECTORY_LABEL] ?? "", containers }));
}
