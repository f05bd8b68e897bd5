/** The catalog and the tags of a repository, whatever number of pages they take. */
import type { RegctlError } from "../errors.ts";
import { protocolFailure } from "./errors.ts";
import { nextPageQuery } from "./link.ts";
import { isRepositoryName, isTag } from "./reference.ts";
import { printable, refusal, spokenErrors } from "./refusals.ts";
import type { RegistrySession } from "./session.ts";
import type { Answer } from "./transport.ts";

/**
 * What distribution allows unless catalog.maxentries says less, then its default, then its own choice. Large pages matter:
 * 2.8 walks from the start for every one.
 */
const CATALOG_QUERIES = ["n=1000", "n=100", ""];
const MAXIMUM_PAGE_BYTES = 32 * 1024 * 1024;

/** Every repository, in the registry's order. Names that no registry may have are a `protocol` failure. */
export async function* listRepositories(session: RegistrySession): AsyncGenerator<string> {
  const purpose = `list the repositories of ${session.host}`;
  for await (const page of pages(
    session,
    { purpose, path: "_catalog", scope: "registry:catalog:*" },
    CATALOG_QUERIES,
  )) {
    yield* namesIn(session, purpose, page, "repositories", isRepositoryName);
  }
}

/** Every tag, sorted; undefined when the registry knows no such repository. */
export async function listTags(session: RegistrySession, repository: string): Promise<string[] | undefined> {
  const purpose = `list the tags of ${session.host}/${repository}`;
  const request = { purpose, path: `${repository}/tags/list`, scope: `repository:${repository}:pull` };
  const tags = new Set<string>();
  // Without n, as distribution 3 then answers with all of them, and none is lost between pages.
  for await (const page of pages(session, request, [""], [404])) {
    if (page.status === 404) {
      if (spokenErrors(page).some(({ code }) => code === "NAME_UNKNOWN")) return undefined;
      throw refusal(session.deed(purpose), page, undefined);
    }
    for (const tag of namesIn(session, purpose, page, "tags", isTag)) tags.add(tag);
  }
  return [...tags].sort();
}

interface ListRequest {
  readonly purpose: string;
  readonly path: string;
  readonly scope: string;
}

/** The pages of a list; of the first queries the next is tried when the registry refuses a page's length. */
async function* pages(
  session: RegistrySession,
  { purpose, path, scope }: ListRequest,
  firstQueries: readonly string[],
  accepts: readonly number[] = [],
): AsyncGenerator<Answer> {
  const send = (query: string) =>
    session.send({
      purpose,
      scope,
      method: "GET",
      path: query === "" ? path : `${path}?${query}`,
      accepts: [200, 400, ...accepts],
      maximumBytes: MAXIMUM_PAGE_BYTES,
      headers: { accept: "application/json" },
    });
  const asked = new Set<string>();
  const [first = "", ...shorter] = firstQueries;
  let query: string | undefined = first;
  while (query !== undefined) {
    if (asked.has(query)) throw circle(session, purpose);
    asked.add(query);
    const answer: Answer = await send(query);
    if (answer.status === 400) {
      const isTooLong = spokenErrors(answer).some(({ code }) => code === "PAGINATION_NUMBER_INVALID");
      query = isTooLong ? shorter.shift() : undefined;
      if (query === undefined) throw refusal(session.deed(purpose), answer, undefined);
      continue;
    }
    shorter.length = 0;
    yield answer;
    query = nextQuery(session, purpose, answer);
  }
}

function nextQuery(session: RegistrySession, purpose: string, { headers }: Answer): string | undefined {
  try {
    return nextPageQuery(Array.isArray(headers.link) ? headers.link.join(", ") : headers.link);
  } catch (error) {
    throw protocolFailure(session.deed(purpose), `${session.host} links to a next page that is no address`, error);
  }
}

function circle(session: RegistrySession, purpose: string): RegctlError {
  return protocolFailure(session.deed(purpose), `${session.host} links its pages in a circle`);
}

/** `null` is how distribution writes an empty list. */
function namesIn(
  session: RegistrySession,
  purpose: string,
  { body }: Answer,
  key: "repositories" | "tags",
  isName: (text: string) => boolean,
): string[] {
  let list: unknown;
  try {
    list = (JSON.parse(body.toString("utf8")) as Record<string, unknown> | null)?.[key];
  } catch (error) {
    throw protocolFailure(session.deed(purpose), `${session.host} does not answer as a registry`, error);
  }
  const names: unknown = list === null ? [] : list;
  if (!Array.isArray(names))
    throw protocolFailure(session.deed(purpose), `${session.host} does not answer as a registry`);
  return names.map((name: unknown) => {
    if (typeof name === "string" && isName(name)) return name;
    const shown = printable(JSON.stringify(name) ?? "nothing");
    throw protocolFailure(session.deed(purpose), `${session.host} lists ${shown}, which cannot be a name in ${key}`);
  });
}
