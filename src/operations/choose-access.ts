/** Whether images are looked at as files or over the registry's API. */
import { RegctlError } from "../errors.ts";
import type { RegistryLogin } from "../registry/login.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";
import { locateStore, type StoreFlags, type StoreTarget } from "./store.ts";

export interface AccessFlags extends StoreFlags {
  /** Over `/v2/` although the storage is on this host. */
  readonly api: boolean;
  /** undefined = what `docker login` stored. */
  readonly login: RegistryLogin | undefined;
}

/** A storage on this host, or a deployment whose registry has to be asked. */
export type Access =
  | { readonly data: string; readonly target: StoreTarget }
  | { readonly data: undefined; readonly deployment: Deployment };

export async function chooseAccess(ports: OperationPorts, flags: AccessFlags): Promise<Access> {
  const wantsApi = flags.api || flags.login !== undefined;
  if (wantsApi && flags.data !== undefined) {
    throw new RegctlError("usage", "--data reads files, --api and --user ask a registry: give one of them", {
      hint: "leave out --api and --user",
    });
  }
  const target = await locateStore(ports, flags);
  if (target.data !== undefined && !wantsApi) return { data: target.data, target };
  return { data: undefined, deployment: target.deployment as Deployment };
}
