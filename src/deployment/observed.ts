/** One read of what runs: everything the planner needs, so that planning makes no call. */
import type { CallOptions, Engine, ObservedContainer, ObservedNetwork } from "../engine/engine.ts";
import { DEPLOYMENT_LABEL, DIRECTORY_LABEL, SERVICE_LABEL } from "./labels.ts";
import { containerName, networkName, nextName } from "./names.ts";

export interface ObservedState {
  /** Containers that carry the deployment's label, running or not. */
  readonly containers: readonly ObservedContainer[];
  readonly network: ObservedNetwork | undefined;
  /** Networks of names the same folder had before. */
  readonly formerNetworks: readonly ObservedNetwork[];
  /** `sha256:…` of the image the desired reference means on this engine now; undefined = not there. */
  readonly imageId: string | undefined;
}

/** Labels alone prove nothing: an image can carry them. Ours also have the name regctl gives them. */
function isManaged(container: ObservedContainer): boolean {
  const { [DEPLOYMENT_LABEL]: deployment, [SERVICE_LABEL]: service, [DIRECTORY_LABEL]: directory } = container.labels;
  if (deployment === undefined || service === undefined || directory === undefined) return false;
  const name = containerName(deployment, service);
  return container.name === name || container.name === nextName(name);
}

/** Containers and networks of one deployment; `options.directory` adds what the same folder made under another name. */
export async function observe(
  engine: Engine,
  deployment: string,
  image: string,
  options: CallOptions & { readonly directory?: string } = {},
): Promise<ObservedState> {
  const { directory, ...call } = options;
  const [own, ofFolder, network, found] = await Promise.all([
    engine.containers.list({ [DEPLOYMENT_LABEL]: deployment }, call),
    directory === undefined ? [] : engine.containers.list({ [DIRECTORY_LABEL]: directory }, call),
    engine.networks.inspect(networkName(deployment), call),
    engine.images.inspect(image, call),
  ]);
  const former = ofFolder.filter((container) => container.labels[DEPLOYMENT_LABEL] !== deployment).filter(isManaged);
  const formerNames = [...new Set(former.map((container) => container.labels[DEPLOYMENT_LABEL] ?? ""))];
  const formerNetworks = await Promise.all(formerNames.map((name) => engine.networks.inspect(networkName(name), call)));
  return {
    containers: [...own.filter(isManaged), ...former],
    network,
    formerNetworks: formerNetworks.filter((one) => one !== undefined),
    imageId: found?.id,
  };
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
    if (name !== undefined && isManaged(container)) found.set(name, [...(found.get(name) ?? []), container]);
  }
  return [...found.entries()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, containers]) => ({ name, directory: containers[0]?.labels[DIRECTORY_LABEL] ?? "", containers }));
}
