/** Every path of a deployment folder. */
export const CONFIG_FILE = "regctl.yaml";

/** Relative to the deployment folder. */
export const FILES = {
  config: CONFIG_FILE,
  compose: "compose.yaml",
  registryConfig: "registry/config.yml",
  htpasswd: "auth/htpasswd",
  authorityCertificate: "certs/ca.crt",
  authorityKey: "certs/ca.key",
  certificate: "certs/domain.crt",
  key: "certs/domain.key",
  /** During a rollover: the authority clients were given before, and its signature on the new one's key. */
  previousAuthority: "certs/ca-previous.crt",
  crossCertificate: "certs/ca-cross.crt",
  /** During a rollover without cross-signing: the authority that takes over when it is finished. */
  nextAuthority: "certs/ca-next.crt",
  /** Key of the authority that does not sign now; beside none of the folders a container mounts. */
  idleAuthorityKey: ".regctl/idle-ca.key",
  state: ".regctl",
  lock: ".regctl/lock",
  journal: ".regctl/journal",
  audit: ".regctl/audit.log",
  secrets: ".regctl/secrets.json",
  /** Exists from the first write of `init` until its closing block was shown. */
  unfinishedInit: ".regctl/unfinished-init",
  /** Exists while the registry's own collector runs: what has to be made good when regctl is killed meanwhile. */
  collection: ".regctl/collection.json",
  /** The checked form of one version of regctl.yaml. */
  configCache: ".regctl/config.json",
  /** What digests say, as far as `prune` asked the registry. */
  digests: ".regctl/digests.json",
} as const;
