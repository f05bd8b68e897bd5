/** Changes to regctl.yaml that leave every byte its owner wrote, but for the value that changes. */
import { isMap, isNode, isScalar, type Pair, parseDocument } from "yaml";

type Written = string | readonly string[] | Readonly<Record<string, string>>;

/** Flow YAML that is JSON as well, so that no value is ever read as something else. */
function flow(value: Written): string {
  return Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value);
}

/** The text with the value of a top-level key replaced where it stands, or the key added at the end. `text` has to be valid. */
export function setConfigValue(text: string, key: string, value: string | readonly string[]): string {
  return setPairValue(text, findPair(parseDocument(text).contents, key), key, value);
}

/** The same for a key of a top-level section (`tls`, `mode`), which is added where it is missing. */
export function setSectionValue(text: string, section: string, key: string, value: string): string {
  const body = findPair(parseDocument(text).contents, section)?.value;
  if (isMap(body) && body.items.length > 0) {
    const pair = findPair(body, key);
    const start = body.range?.[0] ?? 0;
    if (isNode(pair?.value)) return setPairValue(text, pair, key, value);
    if (pair === undefined && body.flow === true)
      return `${text.slice(0, start + 1)}${key}: ${flow(value)}, ${text.slice(start + 1)}`;
    if (pair === undefined) {
      const indentation = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
      return `${text.slice(0, start)}${key}: ${flow(value)}\n${indentation}${text.slice(start)}`;
    }
  }
  return setPairValue(text, findPair(parseDocument(text).contents, section), section, { [key]: value });
}

function findPair(map: unknown, key: string): Pair | undefined {
  return isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
}

function setPairValue(text: string, pair: Pair | undefined, key: string, value: Written): string {
  const range = isNode(pair?.value) ? pair.value.range : undefined;
  if (range === undefined || range === null) {
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    return `${text}${separator}${key}: ${flow(value)}\n`;
  }
  const [start, end] = range;
  if (start === end) {
    // An empty value is found behind the comment of its line, where a new one would be part of it.
    const colon = text.indexOf(":", isNode(pair?.key) ? pair.key.range?.[1] : start) + 1;
    return `${text.slice(0, colon)} ${flow(value)}${text.slice(colon)}`;
  }
  // On a line of its own a list needs no indentation where it is written with dashes, but does as flow.
  const before = text.slice(0, start).replace(/\n[ ]*$/, "\n  ");
  const replaced = text.slice(start, end);
  return `${before}${flow(value)}${replaced.endsWith("\n") ? "\n" : ""}${text.slice(end)}`;
}
