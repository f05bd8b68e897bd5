import type { Config } from "../../config/config.ts";
import { foreignStorageDriver } from "../../config/registry-config.ts";
import type { Check, Diagnosis } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { registrySetting } from "../registry-settings.ts";

type Version = readonly [major: number, minor: number, patch: number];

function parseVersion(text: string): Version | undefined {
  const found = /(?:^|[^\d.])v?([23])\.(\d+)\.(\d+)(?!\d)/.exec(` ${text}`);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
}

/** The registry says it on each of its first lines; else the image's tag may. */
function versionOf(log: readonly string[], image: string): Version | undefined {
  for (const line of log) {
    const said = / version="?([^\s"]+)"?\s*$/.exec(line)?.[1];
    const version = said === undefined ? undefined : parseVersion(said);
    if (version !== undefined) return version;
  }
  return parseVersion(image.slice(image.lastIndexOf(":") + 1));
}

function isBelow(one: Version, other: Version): boolean {
  for (const [index, part] of other.entries()) {
    const own = one[index] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}

/** Problems of released versions that a deployment can run into (distribution's issues and release notes). */
function problemOf(version: Version, config: Config): string | undefined {
  const driver = foreignStorageDriver(config);
  if (version[0] === 2 && isBelow(version, [2, 8, 2]))
    return "anybody who may list the catalog can make it run out of memory (CVE-2023-2253)";
  if (version[0] === 3 && isBelow(version, [3, 1, 1])) {
    if (registrySetting(config, "storage.delete.enabled") !== true)
      return "it deletes tags although deletion is off (CVE-2026-41888)";
    if (driver === "s3" && version[1] === 0) return "purging old uploads on S3 can make it panic";
  }
  if (version[0] === 3 && driver === "s3" && isBelow(version, [3, 1, 2]))
    return "lists of repositories and tags on S3 are incomplete (distribution#4903, #4891)";
  return undefined;
}

function migration(version: Version, config: Config): Diagnosis | undefined {
  if (version[0] === config.major) return undefined;
  return {
    verdict: "broken",
    cause: `the registry in ${config.image} is ${version.join(".")}, and regctl.yaml is read for ${config.major}.x: it looks for its configuration elsewhere`,
    fix: `name the version in image: of regctl.yaml, for example registry:${version[0]}, then: regctl up`,
  };
}

export const registryVersion: Check<DeploymentFacts> = {
  id: "registry-version",
  title: "the registry's version has no known problem here",
  async examine(facts) {
    const config = await facts.config();
    const version = versionOf(await facts.log().catch(() => []), config.image);
    if (version === undefined) return undefined;
    const misread = migration(version, config);
    if (misread !== undefined) return misread;
    const problem = problemOf(version, config);
    if (problem === undefined) return undefined;
    return {
      verdict: "warning",
      cause: `the registry is ${version.join(".")}: ${problem}`,
      fix: `set image: in regctl.yaml to a newer ${version[0]}.x, then: regctl up`,
    };
  },
};
