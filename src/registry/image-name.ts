/** What people call images of the deployment's own registry: `team/app`, `team/app:1.4`, `team/app@sha256:…`. Pure. */
import { RegctlError } from "../errors.ts";
import { isDigest, isRepositoryName, isTag } from "./reference.ts";

export interface ImageName {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

const SHOWN = 300;

function invalid(text: string, why: string, hint: string): RegctlError {
  return new RegctlError("input-invalid", `${JSON.stringify(text.slice(0, SHOWN))} ${why}`, { hint });
}

/** Why a text is no repository's name, said so that it can be corrected. */
function repositoryProblem(text: string, repository: string): RegctlError {
  if (repository.startsWith("/"))
    return invalid(text, "begins with a slash", "name the repository as clients do: team/app");
  if (repository.split("/").includes(".."))
    return invalid(text, "has .. in it", "name the repository as clients do: team/app");
  if (repository.length > 255)
    return invalid(text, "is longer than the 255 characters a name can have", "copy the name from `regctl repos`");
  if (repository !== repository.toLowerCase() && isRepositoryName(repository.toLowerCase()))
    return invalid(text, "has upper-case letters", `repositories are in lower case: ${repository.toLowerCase()}`);
  return invalid(
    text,
    "is no repository's name",
    "name the repository as clients do, without the registry's host: team/app",
  );
}

/**
 * Reads a name without a host; one that begins with the registry's own (`localhost:5000/team/app`) loses it. Throws
 * `input-invalid` with what is wrong.
 */
export function parseImageName(text: string, registryHost?: string): ImageName {
  const named =
    registryHost !== undefined && text.startsWith(`${registryHost}/`) ? text.slice(registryHost.length + 1) : text;
  const at = named.indexOf("@");
  const digest = at < 0 ? undefined : named.slice(at + 1);
  const beforeDigest = at < 0 ? named : named.slice(0, at);
  const colon = beforeDigest.indexOf(":", beforeDigest.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  const repository = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  if (!isRepositoryName(repository)) throw repositoryProblem(text, repository);
  if (digest !== undefined && !isDigest(digest))
    throw invalid(text, "does not end in a digest", "a digest is sha256: and 64 lower-case hexadecimal digits");
  if (tag !== undefined && !isTag(tag)) {
    const hint = /^[a-f0-9]{64}$/.test(tag)
      ? `that is a digest: ${repository}@sha256:${tag}`
      : "a tag is up to 128 letters, digits, _ . and -";
    throw invalid(text, "does not end in a tag", hint);
  }
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}
