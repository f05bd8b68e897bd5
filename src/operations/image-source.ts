/** Where images are looked at: the files of a storage, or the registry over `/v2/`. */
import { hostAndPort } from "../config/config.ts";
import { type AccessFlags, chooseAccess } from "./choose-access.ts";
import type { OperationPorts } from "./ports.ts";
import { readStore } from "./store.ts";

export interface FoundManifest {
  readonly digest: string;
  /** As the registry says; "" on disk, where it is not written down. */
  readonly mediaType: string;
  /** undefined = it cannot be read; `problem` says why. */
  readonly bytes: Buffer | undefined;
  /** When the tag, or for a digest the manifest, was linked, in ms since 1970; undefined over the API. */
  readonly pushedMs: number | undefined;
  readonly problem: string | undefined;
}

export interface ImageSource {
  readonly origin: "disk" | "api";
  /** Of the registry, as clients write it; undefined for a bare folder. */
  readonly host: string | undefined;
  /** For the name that may have been meant. */
  repositories(): Promise<readonly string[]>;
  /** undefined = there is no such repository. */
  tags(repository: string): Promise<readonly string[] | undefined>;
  /** By tag or digest; undefined = there is none. */
  find(repository: string, reference: string): Promise<FoundManifest | undefined>;
  /** What a tag points at, without its manifest where that is cheaper. */
  target(repository: string, tag: string): Promise<string | undefined>;
  /** Content of a blob; undefined = there is none, or it is no configuration of a sensible size. */
  blob(repository: string, digest: string): Promise<Buffer | undefined>;
  /** Digests of every manifest, tagged or not; undefined = not known, as over the API. */
  revisions(repository: string): Promise<readonly string[] | undefined>;
  /** Why a blob or manifest cannot be pulled from the repository; undefined = it can, or that is not known. */
  missing(repository: string, digest: string, kind: "blob" | "manifest"): Promise<string | undefined>;
  map<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]>;
}

/** Opens what the flags mean for the time of the work. */
export async function withImageSource<T>(
  ports: OperationPorts,
  flags: AccessFlags,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  const access = await chooseAccess(ports, flags);
  if (access.data !== undefined) {
    const { deployment } = access.target;
    const host = deployment === undefined ? undefined : hostAndPort(deployment.config);
    const { diskSource } = await import("./disk-source.ts");
    return readStore(ports, access.data, ({ store }) => work(diskSource(store, host)));
  }
  const [{ apiSource }, { listLosses, withRegistryApi }] = await Promise.all([
    import("./api-source.ts"),
    import("./registry-access.ts"),
  ]);
  for (const { list, warning } of listLosses(access.deployment)) if (list === "tags") ports.output.warn(warning);
  return withRegistryApi(ports, access.deployment, flags.login, (api) => work(apiSource(api)));
}
