/** Images as the registry serves them. */
import { RegctlError } from "../errors.ts";
import type { RegistryApi } from "../registry/api.ts";
import type { FoundManifest, ImageSource } from "./image-source.ts";

function problemOf(error: unknown): string | undefined {
  if (!(error instanceof RegctlError)) return undefined;
  const { reason } = error.details ?? {};
  return reason === "corrupt" || reason === "too-large" ? error.message : undefined;
}

const isNotFound = (error: unknown): boolean => error instanceof RegctlError && error.code === "not-found";

export function apiSource(api: RegistryApi): ImageSource {
  const find = async (repository: string, reference: string): Promise<FoundManifest | undefined> => {
    try {
      const { digest, mediaType, bytes } = await api.manifest(repository, reference);
      return { digest, mediaType, bytes, pushedMs: undefined, problem: undefined };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      const problem = problemOf(error);
      if (problem === undefined) throw error;
      const digest = reference.includes(":") ? reference : "";
      return { digest, mediaType: "", bytes: undefined, pushedMs: undefined, problem };
    }
  };
  return {
    origin: "api",
    host: api.host,
    repositories: async () => {
      const names: string[] = [];
      for await (const name of api.catalog()) names.push(name);
      return names;
    },
    tags: (repository) => api.tags(repository),
    find,
    target: async (repository, tag) => (await api.headManifest(repository, tag))?.digest,
    blob: async (repository, digest) => {
      try {
        return await api.blob(repository, digest);
      } catch (error) {
        if (isNotFound(error) || problemOf(error) !== undefined) return undefined;
        throw error;
      }
    },
    revisions: async () => undefined,
    missing: async (repository, digest, kind) => {
      if (kind === "blob") return undefined;
      return (await api.headManifest(repository, digest)) === undefined ? "the registry does not have it" : undefined;
    },
    map: (items, work) => api.map(items, work),
  };
}
