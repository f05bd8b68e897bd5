/** Changes to regctl.yaml that keep every comment and the order of what its owner wrote. */
import { parseDocument } from "yaml";

/** The text with the value at `path` replaced or added; the rest stays byte for byte where YAML allows it. */
export function setConfigValue(text: string, path: readonly string[], value: unknown): string {
  const document = parseDocument(text);
  document.setIn([...path], document.createNode(value));
  return document.toString({ lineWidth: 0 });
}
