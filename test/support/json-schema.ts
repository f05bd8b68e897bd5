/** A JSON Schema (2020-12) as far as regctl's own uses it; an unknown keyword is a failure, so that none goes unchecked. */
interface Schema {
  readonly [keyword: string]: unknown;
}

const ANNOTATIONS = new Set(["$schema", "$id", "title", "description", "default", "examples", "$defs", "format"]);

type Check = (value: unknown, wanted: never, schema: Schema, root: Schema) => readonly string[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const prefixed = (key: string | number, problems: readonly string[]) => problems.map((one) => `/${key}${one}`);
const unless = (fine: boolean, problem: string): string[] => (fine ? [] : [`: ${problem}`]);

function properties(value: unknown, wanted: Readonly<Record<string, Schema>>, _: Schema, root: Schema): string[] {
  if (!isObject(value)) return [];
  return Object.entries(wanted).flatMap(([key, schema]) =>
    key in value ? prefixed(key, schemaProblems(value[key], schema, root)) : [],
  );
}

function additional(value: unknown, wanted: Schema | boolean, schema: Schema, root: Schema): string[] {
  if (!isObject(value)) return [];
  const known = new Set(Object.keys((schema.properties as Schema | undefined) ?? {}));
  return Object.entries(value)
    .filter(([key]) => !known.has(key))
    .flatMap(([key, child]) => prefixed(key, schemaProblems(child, wanted, root)));
}

const CHECKS: Readonly<Record<string, Check>> = {
  $ref: (value, wanted: string, _, root) => {
    const found = wanted
      .slice(2)
      .split("/")
      .reduce<unknown>((at, key) => (key === "" ? at : (at as Schema)[key]), root);
    return schemaProblems(value, found as Schema, root);
  },
  type: (value, wanted: string | string[]) =>
    unless(
      [wanted].flat().some((type) => TYPES[type]?.(value) === true),
      `should be ${String(wanted)}`,
    ),
  enum: (value, wanted: unknown[]) => unless(wanted.includes(value), `should be one of ${wanted.join(", ")}`),
  const: (value, wanted: unknown) => unless(value === wanted, `should be ${String(wanted)}`),
  pattern: (value, wanted: string) =>
    unless(typeof value !== "string" || new RegExp(wanted, "u").test(value), `should match ${wanted}`),
  minLength: (value, wanted: number) => unless(typeof value !== "string" || value.length >= wanted, "is too short"),
  maxLength: (value, wanted: number) => unless(typeof value !== "string" || value.length <= wanted, "is too long"),
  minItems: (value, wanted: number) => unless(!Array.isArray(value) || value.length >= wanted, "has too few items"),
  minimum: (value, wanted: number) => unless(typeof value !== "number" || value >= wanted, `should be >= ${wanted}`),
  maximum: (value, wanted: number) => unless(typeof value !== "number" || value <= wanted, `should be <= ${wanted}`),
  exclusiveMinimum: (value, wanted: number) => unless(typeof value !== "number" || value > wanted, "is too small"),
  multipleOf: (value, wanted: number) => unless(typeof value !== "number" || value % wanted === 0, "is no multiple"),
  required: (value, wanted: string[]) =>
    isObject(value) ? wanted.filter((key) => !(key in value)).map((key) => `/${key}: is missing`) : [],
  properties,
  additionalProperties: additional,
  propertyNames: (value, wanted: Schema, _, root) =>
    isObject(value) ? Object.keys(value).flatMap((key) => prefixed(key, schemaProblems(key, wanted, root))) : [],
  items: (value, wanted: Schema, _, root) =>
    Array.isArray(value) ? value.flatMap((item, index) => prefixed(index, schemaProblems(item, wanted, root))) : [],
  anyOf: (value, wanted: Schema[], _, root) => best(value, wanted, root),
  oneOf: (value, wanted: Schema[], _, root) => best(value, wanted, root),
  allOf: (value, wanted: Schema[], _, root) => wanted.flatMap((one) => schemaProblems(value, one, root)),
  not: (value, wanted: Schema, _, root) => unless(schemaProblems(value, wanted, root).length > 0, "is forbidden"),
};

function best(value: unknown, wanted: readonly Schema[], root: Schema): readonly string[] {
  const [first = []] = wanted
    .map((one) => schemaProblems(value, one, root))
    .sort((one, other) => one.length - other.length);
  return first;
}

/** Why the value does not fit, each as `/path/to/it: why`; none when it does. */
export function schemaProblems(value: unknown, schema: Schema | boolean, root?: Schema): readonly string[] {
  if (typeof schema === "boolean") return unless(schema, "is not allowed");
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    if (ANNOTATIONS.has(keyword)) return [];
    const check = CHECKS[keyword];
    if (check === undefined) throw new Error(`this checker does not know the keyword ${keyword}`);
    return check(value, wanted as never, schema, root ?? schema);
  });
}
