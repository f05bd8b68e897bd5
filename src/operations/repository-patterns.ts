/** Repositories as people name several: whole names, or globs. */
import { RegctlError } from "../errors.ts";
import { parseImageName } from "../registry/image-name.ts";
import type { Matches } from "../retention/glob.ts";
import { unknownRepository } from "./unknown-repository.ts";

const GLOB = /[*?[\]{}]/;

export interface RepositoryPatterns {
  readonly matches: Matches;
  /** Throws `not-found` when a whole name is not among them, or nothing matches. */
  requireKnown(names: readonly string[]): void;
}

/** None = all. Throws `input-invalid` for what is neither a repository's name nor a glob. */
export async function parsePatterns(texts: readonly string[], host?: string): Promise<RepositoryPatterns> {
  if (texts.length === 0) return { matches: () => true, requireKnown: () => undefined };
  const wholeNames = texts.filter((text) => !GLOB.test(text)).map((text) => repositoryOf(text, host));
  const { parseGlob } = await import("../retention/glob.ts");
  const globs = texts.filter((text) => GLOB.test(text)).map((text) => parseGlob(text, "repository"));
  const isWhole = new Set(wholeNames);
  const matches: Matches = (name) => isWhole.has(name) || globs.some((glob) => glob(name));
  return {
    matches,
    requireKnown(names) {
      const known = new Set(names);
      for (const name of wholeNames) if (!known.has(name)) throw unknownRepository(name, names);
      if (names.some(matches)) return;
      throw new RegctlError(
        "not-found",
        `no repository matches ${texts.map((text) => JSON.stringify(text)).join(", ")}`,
        {
          hint: "`regctl repos` lists them; * stands for a part of a name, ** for any number of levels",
        },
      );
    },
  };
}

/** A repository's name without the registry's host. Throws `input-invalid`, also for a tag or digest. */
export function repositoryOf(text: string, host: string | undefined): string {
  const { repository, tag, digest } = parseImageName(text, host);
  if (tag === undefined && digest === undefined) return repository;
  throw new RegctlError("input-invalid", `${JSON.stringify(text)} names an image, and a repository is asked for`, {
    hint: `regctl inspect ${text} shows the image; write ${repository} for its repository`,
  });
}
