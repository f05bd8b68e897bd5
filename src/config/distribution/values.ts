import { z } from "zod";

/** A Go duration (`1h30m`, `500ms`), as `time.ParseDuration` reads it; never negative. https://pkg.go.dev/time#ParseDuration */
const GO_DURATION = /^(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;

/** A bare number below this is a forgotten unit (`5` is five nanoseconds), not a wish. */
const SHORTEST_BARE_NANOSECONDS = 1_000_000;

/** Longer lists of values drown the message; the JSON schema has them all. */
const MOST_LISTED = 9;

const DURATION_TEXT = "should be a duration such as 10s, 5m or 1h30m";

export function flag(about: string) {
  return z.boolean({ error: "should be true or false" }).optional().describe(about);
}

export function text(about: string) {
  return z.string({ error: "should be text" }).optional().describe(about);
}

export function texts(about: string) {
  return z
    .array(z.string({ error: "should be text" }), { error: "should be a list of texts" })
    .optional()
    .describe(about);
}

/** Text of a given form; `shape` completes "should be". */
export function textLike(pattern: RegExp, shape: string, about: string) {
  const error = `should be ${shape}`;
  return z.string({ error }).regex(pattern, { error }).optional().describe(about);
}

export function url(about: string) {
  return textLike(/^https?:\/\/[^\s/]+/, "a full URL that begins with http:// or https://", about);
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values, about: string) {
  return z
    .enum(values, { error: `should be ${alternatives(values)}` })
    .optional()
    .describe(about);
}

export function choices<const Values extends readonly [string, ...string[]]>(values: Values, about: string) {
  return z
    .array(z.enum(values, { error: `should be ${alternatives(values)}` }), { error: "should be a list" })
    .optional()
    .describe(about);
}

export interface WholeLimits {
  readonly min?: number;
  readonly max?: number;
  readonly multipleOf?: number;
}

export function whole(about: string, limits: WholeLimits = {}) {
  let number = z.int({ error: "should be a whole number" });
  if (limits.min !== undefined) number = number.min(limits.min, { error: `should be at least ${limits.min}` });
  if (limits.max !== undefined) number = number.max(limits.max, { error: `should be at most ${limits.max}` });
  if (limits.multipleOf !== undefined) {
    number = number.multipleOf(limits.multipleOf, { error: `should be a multiple of ${limits.multipleOf}` });
  }
  return number.optional().describe(about);
}

/** Where the registry decodes into a `time.Duration`: text, or a bare number of nanoseconds. */
export function duration(about: string) {
  const error = `${DURATION_TEXT}: a bare number is nanoseconds`;
  const nanoseconds = z.int({ error }).min(SHORTEST_BARE_NANOSECONDS, { error });
  const written = z.string().regex(GO_DURATION, { error: DURATION_TEXT });
  return z
    .union([written, z.literal(0), nanoseconds], { error: DURATION_TEXT })
    .optional()
    .describe(about);
}

/** Where the registry reads the duration itself and takes text only. */
export function durationText(about: string) {
  return z.string({ error: DURATION_TEXT }).regex(GO_DURATION, { error: DURATION_TEXT }).optional().describe(about);
}

/** `net/http.Header`: each name carries a list, even of one. */
export function headers(about: string) {
  const values = z.array(z.string({ error: "should be text" }), { error: "should be a list of texts" });
  return z.record(z.string(), values, { error: "should be a map of header names to lists" }).optional().describe(about);
}

/** A map whose keys the registry does not know in advance. */
export function openMap(about: string) {
  return z.record(z.string(), z.unknown(), { error: "should be a map of keys" }).optional().describe(about);
}

/** A map with exactly these keys. */
export function entry<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: mapError });
}

export function section<Shape extends z.ZodRawShape>(about: string, shape: Shape) {
  return entry(shape).optional().describe(about);
}

/** A section whose name alone says enough: `inmemory:` with nothing after it is null in YAML. */
export function sectionOrName<Shape extends z.ZodRawShape>(about: string, shape: Shape) {
  return entry(shape).nullable().optional().describe(about);
}

export function listOf<Item extends z.ZodType>(about: string, item: Item) {
  return z.array(item, { error: "should be a list" }).optional().describe(about);
}

/** Undefined leaves an unknown key to zod's own report, which lists the keys. */
function mapError(issue: { readonly code?: string | undefined }): string | undefined {
  return issue.code === "invalid_type" ? "should be a map of keys" : undefined;
}

function alternatives(values: readonly string[]): string {
  if (values.length > MOST_LISTED) return `one of the ${values.length} allowed values, such as ${values[0]}`;
  const last = values.at(-1) ?? "";
  return values.length < 2 ? last : `${values.slice(0, -1).join(", ")} or ${last}`;
}
