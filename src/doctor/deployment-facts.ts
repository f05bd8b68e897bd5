/**
 * What the checks of a deployment and its host look at: values, and functions that read a part when it is first asked for,
 * once. A part that cannot be read rejects with a RegctlError, which is the verdict "unknown" of the checks that need it.
 */
import type { Config } from "../config/config.ts";
import type { Change } from "../deployment/plan.ts";
import type { EngineInfo, ObservedContainer } from "../engine/engine.ts";
import type { ContainerSettings, EngineDetails, NetworkAddresses } from "../engine/inspection.ts";
import type { Issue } from "../errors.ts";
import type { FreeSpace } from "../host/disk.ts";

/** Something in the deployment's folder, links not followed. */
export interface PresentFile {
  /** Relative to the deployment's folder: `certs/domain.key`; the folder itself is `.`; the images `data`, wherever they are. */
  readonly path: string;
  /** As commands take it. */
  readonly absolutePath: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modified: Date;
}

/** As on disk, so not necessarily what they should be; undefined = no such file. The key is for comparing, never for showing. */
export interface CertificateFileContents {
  readonly authority: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly hasAuthorityKey: boolean;
}

/** What a killed command left. */
export interface Interruptions {
  /** No command is at work in the folder at this moment. */
  readonly isIdle: boolean;
  readonly transaction: boolean;
  readonly init: boolean;
  /** RFC 3339; undefined = none. */
  readonly readOnlySince: string | undefined;
}

/** A rendered file whose text on disk nobody rendered. */
export interface EditedFile {
  readonly path: string;
  /** `log.level changed`; keys only, never values. */
  readonly because: string;
}

/** What the registry sends before anybody is asked for a password. */
export interface ServedAnswer {
  /** SHA-256 of each certificate sent, leaf first; empty without TLS. */
  readonly fingerprints: readonly string[];
}

export interface DiskFacts {
  readonly path: string;
  readonly space: FreeSpace;
  readonly isReadOnly: boolean;
}

export interface TrashFacts {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly expires: Date;
  /** undefined = not worked out. */
  readonly bytes: number | undefined;
}

export interface StaleUploads {
  readonly count: number;
  /** Not every repository could be looked at in the time there is. */
  readonly isPartial: boolean;
}

/** A line of `.regctl/audit.log`. */
export interface AuditLine {
  readonly time: Date;
  /** `gc --untagged`. */
  readonly command: string;
  readonly outcome: string;
}

/** What resolving a name on this host says. */
export interface ResolvedName {
  readonly name: string;
  /** Empty = it does not resolve. */
  readonly addresses: readonly string[];
  /** The addresses /etc/hosts gives it; empty = it does not name it. */
  readonly inHostsFile: readonly string[];
}

export interface HostNetwork {
  /** Addresses of this host's interfaces, loopback included. */
  readonly addresses: readonly string[];
  /** Destinations of the routing table but the default: `10.8.0.0/24` through `tun0`. */
  readonly routes: readonly { readonly subnet: string; readonly through: string }[];
  /** The interface of the default route; undefined = there is none. */
  readonly uplink: string | undefined;
  /** MTU of each interface. */
  readonly mtus: ReadonlyMap<string, number>;
}

/** A host firewall that is on. */
export interface Firewall {
  readonly kind: "ufw" | "firewalld";
  /** It has a rule about that port, whichever. */
  mentions(port: number): boolean;
}

/** The file the engine reads when it starts. */
export interface DaemonConfiguration {
  readonly path: string;
  /** undefined = no such file. */
  readonly text: string | undefined;
  /** What the engine's own program says against it; undefined = nothing, or it cannot be asked. */
  readonly refusal?: string | undefined;
}

/** What `--fix` may do: each takes the deployment's lock, and says what it did. */
export interface Mends {
  /** What `regctl up` does. */
  up(): Promise<string>;
  /** What `regctl restart` does: uploads under way are finished first. */
  restart(): Promise<string>;
  /** What the next command does by itself: finishes what was committed. */
  finishInterrupted(): Promise<string>;
  /** Sets permission bits of files of the deployment's folder. */
  protect(files: readonly Pick<PresentFile, "absolutePath" | "mode">[]): Promise<string>;
  /** Removes all but the last entry of each name from htpasswd. */
  removeRepeatedUsers(): Promise<string>;
}

export interface DeploymentFacts {
  readonly now: Date;
  /** Absolute. */
  readonly directory: string;
  readonly isRoot: boolean;
  readonly mends: Mends;

  /** Of regctl.yaml; of the last valid one when it is not valid, as that is what runs. */
  config(): Promise<Config>;
  /** Every problem of regctl.yaml; empty = it is valid. */
  configurationIssues(): Promise<readonly Issue[]>;
  certificates(): Promise<CertificateFileContents>;
  /** The folder, what is directly in it, and in certs/, auth/, registry/, .regctl/ and the top of the images. */
  files(): Promise<readonly PresentFile[]>;
  /** Text of auth/htpasswd; undefined = no such file. */
  htpasswd(): Promise<string | undefined>;
  interruptions(): Promise<Interruptions>;
  editedFiles(): Promise<readonly EditedFile[]>;
  /** What `regctl up` would change. */
  changes(): Promise<readonly Change[]>;
  /** Oldest first; a long log's last part only. */
  audit(): Promise<readonly AuditLine[]>;
  /** Of the folder, the images and the engine, each file system once; what is not on this host is left out. */
  disks(): Promise<readonly DiskFacts[]>;
  trash(): Promise<readonly TrashFacts[]>;
  staleUploads(): Promise<StaleUploads>;

  /** Rejects as connecting does. */
  engine(): Promise<EngineInfo>;
  engineDetails(): Promise<EngineDetails>;
  /** Of this deployment, running or not, the registry's first. */
  containers(): Promise<readonly ObservedContainer[]>;
  /** The registry's container as it really runs; undefined = there is none. */
  settings(): Promise<ContainerSettings | undefined>;
  /** What the registry's container said since its last start, the last 400 lines; none without a container. */
  log(): Promise<readonly string[]>;
  /** Names of containers of other deployments, and who else has the port when ours does not run. */
  portHolders(): Promise<readonly string[]>;
  /** undefined = nothing answers. */
  served(): Promise<ServedAnswer | undefined>;
  dockerNetworks(): Promise<readonly NetworkAddresses[]>;
  /** Mirrors that did not take a connection. */
  silentMirrors(): Promise<readonly string[]>;

  names(): Promise<readonly ResolvedName[]>;
  network(): Promise<HostNetwork>;
  firewall(): Promise<Firewall | undefined>;
  daemonConfiguration(): Promise<DaemonConfiguration>;
  /** The options the engine that answers was started with; undefined = nobody tells. */
  engineOptions(): Promise<readonly string[] | undefined>;
  /** PEM texts of the authorities this host's programs trust by themselves. */
  systemAuthorities(): Promise<readonly string[]>;
  /** What the engine says when it asks the registry for nothing in particular; "" = it has nothing to say, or not in time. */
  engineAboutRegistry(): Promise<string>;
  /** Whether the host's clock is kept right by somebody; undefined = nobody tells. */
  isClockSynchronized(): Promise<boolean | undefined>;
  /** A job of the host renews the certificate of this folder. */
  isRenewalScheduled(): Promise<boolean>;
  /** SELinux type of the images' folder while it is enforced; undefined = it is not. */
  selinuxType(): Promise<string | undefined>;
}
