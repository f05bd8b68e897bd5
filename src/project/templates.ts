/** Files for people, filled in: every placeholder needs a value and every value a placeholder. */
import { readFile } from "node:fs/promises";

const PLACEHOLDER = /\{\{(\w+)\}\}/g;
/** What YAML reads as just this string, in any version of it. */
const PLAIN = /^[A-Za-z./_][A-Za-z0-9./_:-]*[A-Za-z0-9./_-]$/;
const RESERVED = /^(y|n|yes|no|on|off|true|false|null|~)$/i;

/** A scalar or a list as YAML on one line; anything doubtful is quoted (JSON strings are YAML strings). */
export function yamlValue(value: string | number | boolean | readonly string[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  if (typeof value !== "string") return String(value);
  return PLAIN.test(value) && !RESERVED.test(value) && !value.includes(": ") ? value : JSON.stringify(value);
}

/** The text of templates/<name> as it is. */
export function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`../../templates/${name}`, import.meta.url), "utf8");
}

/** The text of templates/<name> with `{{key}}` replaced; throws on a missing or unused value: both are bugs. */
export async function renderTemplate(name: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readTemplate(name);
  const unused = new Set(Object.keys(values));
  const rendered = text.replace(PLACEHOLDER, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`template ${name}: no value for ${key}`);
    unused.delete(key);
    return value;
  });
  if (unused.size > 0) throw new Error(`template ${name}: unused values ${[...unused].join(", ")}`);
  return rendered;
}
