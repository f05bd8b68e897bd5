/** What is said of names that are not in the registry, with the name that may have been meant. */
import { nearestKey } from "../config/distribution/nearest-key.ts";
import { RegctlError } from "../errors.ts";
import { shownName } from "../shown-name.ts";

export function unknownRepository(name: string, names: readonly string[]): RegctlError {
  const nested = names.filter((other) => other.startsWith(`${name}/`));
  const near = nearestKey(name, names) ?? names.find((other) => other.endsWith(`/${name}`));
  const hints = [
    ...(near === undefined ? [] : [`is it ${shownName(near)}?`]),
    ...(nested.length === 0 ? [] : [`below it are ${nested.slice(0, 3).map(shownName).join(", ")}`]),
  ];
  return new RegctlError("not-found", `there is no repository ${name}`, {
    hint: hints.length === 0 ? "`regctl repos` lists them" : hints.join("; "),
  });
}

export function unknownImage(repository: string, reference: string, tags: readonly string[]): RegctlError {
  const isDigest = reference.includes(":");
  const near = isDigest ? undefined : nearestKey(reference, tags);
  if (/^[a-f0-9]{64}$/.test(reference)) {
    return new RegctlError("not-found", `${repository} has no tag ${reference}`, {
      hint: `that is a digest without its algorithm: write ${repository}@sha256:${reference}`,
    });
  }
  return new RegctlError("not-found", `${repository} has no ${isDigest ? "manifest" : "tag"} ${reference}`, {
    hint:
      near === undefined
        ? `\`regctl tags ${repository}\` lists its tags and their digests`
        : `is it ${repository}:${shownName(near)}?`,
  });
}
