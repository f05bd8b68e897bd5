/** One element of a Link header (RFC 8288). */
export interface Link {
  /** As written, not resolved. */
  readonly target: string;
  /** Relation types, lower case. */
  readonly relations: readonly string[];
}

const ELEMENT = /^[\s,]*<([^>]*)>/;
const PARAMETER =
  /^[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;,"]*)))?/;
const LONGEST_HEADER = 16_384;

/** Reads a Link header; what cannot be read ends the list, and nothing throws. */
export function parseLinks(header: string | undefined): Link[] {
  const links: Link[] = [];
  let rest = (header ?? "").slice(0, LONGEST_HEADER);
  for (let element = ELEMENT.exec(rest); element !== null; element = ELEMENT.exec(rest)) {
    rest = rest.slice(element[0].length);
    let relation: string | undefined;
    for (let parameter = PARAMETER.exec(rest); parameter !== null; parameter = PARAMETER.exec(rest)) {
      rest = rest.slice(parameter[0].length);
      const value = parameter[2]?.replace(/\\([\s\S])/g, "$1") ?? parameter[3] ?? "";
      if (parameter[1]?.toLowerCase() === "rel") relation ??= value;
    }
    links.push({ target: element[1] ?? "", relations: (relation ?? "").toLowerCase().split(/\s+/).filter(Boolean) });
  }
  return links;
}

/**
 * The query that asks for the next page (`last=b&n=100`), or undefined on the last one. Only the query of the link is used,
 * and only on the address that was asked: proxies in front of a registry change paths and hosts without telling it, and a
 * link must not lead anywhere else. Throws a TypeError when the link is no URL.
 */
export function nextPageQuery(header: string | undefined): string | undefined {
  const next = parseLinks(header).find((link) => link.relations.includes("next"));
  if (next === undefined) return undefined;
  return new URL(next.target, "http://registry.invalid/v2/").search.slice(1);
}
