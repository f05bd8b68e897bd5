/** Changes to regctl.yaml that leave every byte its owner wrote, but for the value that changes. */
import { isMap, isNode, isScalar, parseDocument } from "yaml";

/** Flow YAML that is JSON as well, so that no value is ever read as something else. */
function flow(value: string | readonly string[]): string {
  return Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(", ")}]` : JSON.stringify(value);
}

/** The text with the value of a top-level key replaced where it stands, or the key added at the end. `text` has to be valid. */
export function setConfigValue(text: string, key: string, value: string | readonly string[]): string {
  const contents = parseDocument(text).contents;
  const pair = isMap(contents)
    ? contents.items.find((item) => isScalar(item.key) && item.key.value === key)
    : undefined;
  const range = isNode(pair?.value) ? pair.value.range : undefined;
  if (range === undefined || range === null) {
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    return `${text}${separator}${key}: ${flow(value)}\n`;
  }
  const [start, end] = range;
  // On a line of its own a list needs no indentation where it is written with dashes, but does as flow.
  const before = text.slice(0, start).replace(/\n[ ]*$/, "\n  ");
  const replaced = text.slice(start, end);
  // `san:` alone has an empty value right behind the colon.
  const space = before.endsWith(":") ? " " : "";
  return `${before}${space}${flow(value)}${replaced.endsWith("\n") ? "\n" : ""}${text.slice(end)}`;
}
