/** What people write to name repositories, tags and versions, as functions that tell whether one is meant. */
import { createRequire } from "node:module";
import type Range from "semver/classes/range.js";
import type parseVersion from "semver/functions/parse.js";
import { RegctlError } from "../errors.ts";
import { type Matches, parseGlob } from "./glob.ts";

const LONGEST_RANGE = 256;
/** Loaded only for a policy that compares versions: it takes longer than a whole plan of many. */
const load = createRequire(import.meta.url);

/** What `repository[:tag]` protects. */
export interface Protection {
  readonly text: string;
  readonly repository: Matches;
  /** Undefined: the repository as a whole, with what no tag reaches. */
  readonly tag: Matches | undefined;
}

/** `prod/**`, `prod/**:v*`; `base:*` is `base` as a whole. Throws `input-invalid`. */
export function parseProtection(text: string): Protection {
  const colon = text.indexOf(":");
  if (colon < 0) return { text, repository: parseGlob(text, "repository"), tag: undefined };
  const tags = text.slice(colon + 1);
  if (/[:/]/.test(tags)) {
    throw new RegctlError("input-invalid", `${JSON.stringify(text.slice(0, 256))} does not name what to protect`, {
      hint: "write a repository glob, or one with a tag glob after a colon (prod/**:v*), without the registry's host",
    });
  }
  const tag = parseGlob(tags, "tag");
  return { text, repository: parseGlob(text.slice(0, colon), "repository"), tag: tags === "*" ? undefined : tag };
}

/**
 * Whether a tag is a version within the range (https://github.com/npm/node-semver#ranges), prereleases included. A version
 * has three numbers (`1.2.3`, `v1.2.3`, `1.2.3-rc.1`): `1.2` and `latest` move from image to image and are none. Helm writes
 * `_` for the `+` of build metadata, which a tag cannot have. Throws `input-invalid`.
 */
export function parseVersionRange(text: string): Matches {
  const invalid = (why: string): RegctlError =>
    new RegctlError(
      "input-invalid",
      `${JSON.stringify(text.slice(0, LONGEST_RANGE))} is not a range of versions: ${why}`,
      {
        hint: 'write one such as ">=1.0.0 <2.0.0", "^1.4" or "1.x || 2.x"',
      },
    );
  if (text.trim() === "") throw invalid("it is empty");
  if (text.length > LONGEST_RANGE) throw invalid(`it is longer than ${LONGEST_RANGE} characters`);
  const VersionRange = load("semver/classes/range.js") as typeof Range;
  const parse = load("semver/functions/parse.js") as typeof parseVersion;
  let range: Range;
  try {
    range = new VersionRange(text, { includePrerelease: true });
  } catch {
    throw invalid("it has a part that compares no version");
  }
  return (tag) => {
    // With other options than the range's it would be parsed again at each comparison.
    const version = parse(tag.replace("_", "+"), range.options);
    return version !== null && range.test(version);
  };
}
