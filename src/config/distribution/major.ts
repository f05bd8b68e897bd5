/** The two dialects of config.yml: 2.8.x and 3.x. */
export type DistributionMajor = 2 | 3;

const LEADING_VERSION = /^v?([23])(?=[.-]|$)/;

/**
 * The major of the registry in an image, from the leading number of its tag (`registry:2`, `3.1.1-alpine`, `v3.0.0`);
 * `declared`, where the user says it, wins. Undefined when the tag does not tell (`latest`, `edge`, a digest alone).
 */
export function majorOfImage(reference: string, declared?: DistributionMajor): DistributionMajor | undefined {
  if (declared) return declared;
  const [name = ""] = reference.split("@");
  const lastPart = name.slice(name.lastIndexOf("/") + 1);
  const colon = lastPart.indexOf(":");
  if (colon < 0) return undefined;
  const major = LEADING_VERSION.exec(lastPart.slice(colon + 1))?.[1];
  if (major === undefined) return undefined;
  return major === "2" ? 2 : 3;
}
