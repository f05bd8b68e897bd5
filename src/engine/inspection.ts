/** What an engine says of itself, of how a container really runs and of its networks: what `doctor` looks at. */
import type Docker from "dockerode";
import type { ContainerInspectInfo } from "dockerode";
import type { CallOptions } from "./engine.ts";
import { engineTextOf, statusOf, translateFailure } from "./errors.ts";
import { abortable, getJson } from "./requests.ts";

/** `docker info`, as far as it decides about a registry; "" = not set. */
export interface EngineDetails {
  /** RFC 3339, the engine's clock. */
  readonly time: string;
  readonly operatingSystem: string;
  /** Where images and volumes are: `/var/lib/docker`. */
  readonly rootFolder: string;
  readonly keepsContainersAlive: boolean;
  readonly isRootless: boolean;
  readonly labelsWithSelinux: boolean;
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  /** Hosts and networks whose certificates are not checked: `127.0.0.0/8`, `registry.lan:5000`. */
  readonly insecureRegistries: readonly string[];
  readonly mirrors: readonly string[];
}

/** A container as it is, whoever made or changed it. */
export interface ContainerSettings {
  /** `no`, `always`, `unless-stopped`, `on-failure`. */
  readonly restart: string;
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly mounts: readonly {
    readonly kind: string;
    /** Of a volume; "" otherwise. */
    readonly name: string;
    readonly source: string;
    readonly target: string;
  }[];
}

export interface NetworkAddresses {
  readonly name: string;
  /** Its interface on the host: `docker0`, `br-0123456789ab`. */
  readonly bridge: string;
  /** `172.17.0.0/16`. */
  readonly subnets: readonly string[];
}

/** Reads only. Rejects as the other parts of an engine do. */
export interface Inspection {
  details(options?: CallOptions): Promise<EngineDetails>;
  /** By name or id; undefined = there is none. */
  settings(nameOrId: string, options?: CallOptions): Promise<ContainerSettings | undefined>;
  /** Of the networks with a bridge on this host. */
  networks(options?: CallOptions): Promise<NetworkAddresses[]>;
  /** What it says when it asks that registry (`HOST:PORT`) for an image, without a login; "" = it got one. */
  registry(host: string, options?: CallOptions): Promise<string>;
}

interface Info {
  readonly SystemTime?: string;
  readonly OperatingSystem?: string;
  readonly DockerRootDir?: string;
  readonly LiveRestoreEnabled?: boolean;
  readonly SecurityOptions?: readonly string[] | null;
  readonly HttpProxy?: string;
  readonly HttpsProxy?: string;
  readonly NoProxy?: string;
  readonly RegistryConfig?: {
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly IndexConfigs?: Readonly<Record<string, { readonly Secure?: boolean }>> | null;
    readonly Mirrors?: readonly string[] | null;
  };
}

function toDetails(info: Info): EngineDetails {
  const options = info.SecurityOptions ?? [];
  const { InsecureRegistryCIDRs, IndexConfigs, Mirrors } = info.RegistryConfig ?? {};
  const insecure = Object.entries(IndexConfigs ?? {}).filter(([, index]) => index.Secure === false);
  return {
    time: info.SystemTime ?? "",
    operatingSystem: info.OperatingSystem ?? "",
    rootFolder: info.DockerRootDir ?? "",
    keepsContainersAlive: info.LiveRestoreEnabled === true,
    isRootless: options.some((option) => option.includes("rootless")),
    labelsWithSelinux: options.some((option) => option.includes("selinux")),
    httpProxy: info.HttpProxy ?? "",
    httpsProxy: info.HttpsProxy ?? "",
    noProxy: info.NoProxy ?? "",
    insecureRegistries: [...(InsecureRegistryCIDRs ?? []), ...insecure.map(([host]) => host)],
    mirrors: [...(Mirrors ?? [])],
  };
}

function toSettings({ HostConfig, Mounts }: ContainerInspectInfo): ContainerSettings {
  return {
    restart: HostConfig.RestartPolicy?.Name || "no",
    logDriver: HostConfig.LogConfig?.Type ?? "",
    logOptions: HostConfig.LogConfig?.Config ?? {},
    mounts: (Mounts ?? []).map((mount) => ({
      kind: mount.Type ?? "",
      name: mount.Name ?? "",
      source: mount.Source,
      target: mount.Destination,
    })),
  };
}

interface Network {
  readonly Name: string;
  readonly Id: string;
  readonly Driver: string;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
}

function toAddresses({ Name, Id, Options, IPAM }: Network): NetworkAddresses {
  return {
    name: Name,
    bridge: Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`,
    subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet])),
  };
}

export function dockerInspection(docker: Docker): Inspection {
  return {
    async details({ signal } = {}) {
      try {
        return toDetails(await getJson<Info>(docker, "/info", signal));
      } catch (error) {
        throw translateFailure(error, { doing: "ask the engine about itself", signal });
      }
    },

    async settings(nameOrId, { signal } = {}) {
      try {
        const container = docker.getContainer(encodeURIComponent(nameOrId));
        return toSettings(await container.inspect(abortable(signal)));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw translateFailure(error, { doing: `inspect container ${nameOrId}`, signal });
      }
    },

    async networks({ signal } = {}) {
      try {
        const found = await getJson<Network[]>(docker, "/networks", signal);
        return found.filter(({ Driver }) => Driver === "bridge").map(toAddresses);
      } catch (error) {
        throw translateFailure(error, { doing: "list networks", signal });
      }
    },

    async registry(host, { signal } = {}) {
      try {
        await getJson(docker, `/distribution/${encodeURI(host)}/regctl-asks/json`, signal);
        return "";
      } catch (error) {
        if (statusOf(error) !== undefined) return engineTextOf(error);
        throw translateFailure(error, { doing: `have the engine ask ${host}`, signal });
      }
    },
  };
}
