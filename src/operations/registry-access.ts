/** The deployment's own registry over `/v2/`: where it is reached, whom to trust, whom to be. */
import { registryUrl } from "../config/config.ts";
import { foreignStorageDriver, httpPrefix } from "../config/registry-config.ts";
import { publishedAddress } from "../deployment/health.ts";
import { createRegistryApi, type RegistryApi } from "../registry/api.ts";
import { knownListLosses, type ListLoss } from "../registry/list-losses.ts";
import type { RegistryLogin } from "../registry/login.ts";
import { readCertificateFiles } from "./certificates.ts";
import type { Deployment } from "./deployment.ts";
import type { OperationPorts } from "./ports.ts";

/** Which lists of this registry are known to leave things out. */
export function listLosses({ config }: Deployment): ListLoss[] {
  return knownListLosses({ major: config.major, driver: foreignStorageDriver(config) ?? "filesystem" });
}

/** Works with the registry; its connections end with the work. */
export async function withRegistryApi<T>(
  ports: OperationPorts,
  deployment: Deployment,
  login: RegistryLogin | undefined,
  work: (api: RegistryApi) => Promise<T>,
): Promise<T> {
  const { config, directory } = deployment;
  const url = registryUrl(config);
  const { authorityPem, client } = await readCertificateFiles(directory);
  const credentials =
    login ?? (config.auth.mode === "none" ? undefined : await ports.findCredentials(new URL(url).host));
  const api = createRegistryApi({
    url,
    prefix: httpPrefix(config),
    address: publishedAddress(config.bind),
    authority: authorityPem,
    client,
    credentials,
    signal: ports.signal,
  });
  try {
    return await work(api);
  } finally {
    api.close();
  }
}
