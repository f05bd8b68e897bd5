import type Docker from "dockerode";
import type { NetworkInspectInfo } from "dockerode";
import { RegctlError } from "../errors.ts";
import type { Networks, ObservedNetwork } from "./engine.ts";
import { engineTextOf, statusOf, translateFailure } from "./errors.ts";
import { abortable, createOptions, getJson } from "./requests.ts";
import { hasLabels, labelFilters } from "./translate.ts";

/** The networks of the engine behind this dockerode client. */
export function dockerNetworks(docker: Docker): Networks {
  return {
    async list(labels, { signal } = {}) {
      try {
        const found = await docker.listNetworks({ filters: labelFilters(labels), ...abortable(signal) });
        return found.map(toObservedNetwork).filter((network) => hasLabels(network.labels, labels));
      } catch (error) {
        throw translateFailure(error, { doing: "list networks", signal });
      }
    },

    async inspect(name, { signal } = {}) {
      try {
        const path = `/networks/${encodeURIComponent(name)}`;
        const network = toObservedNetwork(await getJson(docker, path, signal));
        // The engine also answers to the beginning of an id.
        return network.name === name || network.id === name ? network : undefined;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw translateFailure(error, { doing: `inspect network ${name}`, signal });
      }
    },

    async create(spec, { signal } = {}) {
      // CheckDuplicate: engines before API 1.44 make a second network of the same name without it.
      const body = { Name: spec.name, Driver: "bridge", Labels: { ...spec.labels }, CheckDuplicate: true };
      try {
        const network = await docker.createNetwork(createOptions({}, body, signal) as never);
        return network.id;
      } catch (error) {
        if (statusOf(error) !== 409) throw translateFailure(error, { doing: `create network ${spec.name}`, signal });
        throw new RegctlError("conflict", `cannot create network ${spec.name}: the name is taken`, {
          hint: `see what it is: docker network inspect ${spec.name}`,
          details: { network: spec.name },
          cause: error,
        });
      }
    },

    async remove(id, { signal } = {}) {
      try {
        await docker.getNetwork(encodeURIComponent(id)).remove(abortable(signal));
      } catch (error) {
        const status = statusOf(error);
        if (status === 404) return;
        if (status !== 403 && status !== 409) throw translateFailure(error, { doing: `remove network ${id}`, signal });
        throw new RegctlError("conflict", `cannot remove network ${id}: ${engineTextOf(error)}`, {
          hint: `see which containers use it: docker network inspect ${id}`,
          details: { network: id },
          cause: error,
        });
      }
    },
  };
}

function toObservedNetwork(network: NetworkInspectInfo): ObservedNetwork {
  return { id: network.Id, name: network.Name, labels: network.Labels ?? {} };
}
