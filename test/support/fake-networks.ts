import type { Networks, ObservedNetwork } from "../../src/engine/engine.ts";
import type { NetworkAddresses } from "../../src/engine/inspection.ts";
import { RegctlError } from "../../src/errors.ts";
import { hasEvery, newId } from "./fake-objects.ts";

export class FakeNetworks {
  readonly #networks = new Map<string, ObservedNetwork>();
  readonly #isInUse: (name: string) => boolean;

  constructor(isInUse: (name: string) => boolean) {
    this.#isInUse = isInUse;
  }

  find(nameOrId: string): ObservedNetwork | undefined {
    return [...this.#networks.values()].find(({ id, name }) => id === nameOrId || name === nameOrId);
  }

  addresses(): NetworkAddresses[] {
    return [...this.#networks.values()].map(({ id, name }, index) => ({
      name,
      bridge: `br-${id.slice(0, 12)}`,
      subnets: [`172.${18 + index}.0.0/16`],
    }));
  }

  readonly port: Networks = {
    list: async (labels) => [...this.#networks.values()].filter((network) => hasEvery(network.labels, labels)),

    inspect: async (name) => this.find(name),

    create: async ({ name, labels }) => {
      if (this.find(name) !== undefined) {
        throw new RegctlError("conflict", `cannot create network ${name}: the name is taken`, {
          details: { network: name },
        });
      }
      const id = newId();
      this.#networks.set(id, { id, name, labels: { ...labels } });
      return id;
    },

    remove: async (id) => {
      const network = this.find(id);
      if (network === undefined) return;
      if (this.#isInUse(network.name)) {
        throw new RegctlError("conflict", `cannot remove network ${id}: it has active endpoints`, {
          details: { network: id },
        });
      }
      this.#networks.delete(network.id);
    },
  };
}
