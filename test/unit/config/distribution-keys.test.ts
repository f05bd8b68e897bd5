import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkDistribution } from "../../../src/config/distribution/check.ts";
import { distributionSchema } from "../../../src/config/distribution/schema.ts";
import { runs } from "../../support/property-runs.ts";
import { exampleOf, type Node } from "./distribution-examples.ts";

/** Maps whose keys are the user's own. */
const OPEN_MAPS =
  /^(log[.]fields|http[.]headers|storage[.]gcs[.]credentials|health[.]http\[\][.]headers|notifications[.]endpoints\[\][.]headers|middleware[.](registry|repository)\[\][.]options)$/;

type Step = string | number;

const MAJORS = [2, 3] as const;

interface Place {
  readonly path: readonly Step[];
  readonly key: string;
  readonly value: unknown;
}

/** Every key below `node`, parents before children. */
function placesIn(node: unknown, path: readonly Step[] = [], key = ""): readonly Place[] {
  if (Array.isArray(node)) return node.flatMap((item, index) => placesIn(item, [...path, index], `${key}[]`));
  if (typeof node !== "object" || node === null || OPEN_MAPS.test(key)) return [];
  return Object.entries(node).flatMap(([name, value]) => {
    const place = { path: [...path, name], key: key === "" ? name : `${key}.${name}`, value };
    return [place, ...placesIn(value, place.path, place.key)];
  });
}

/** The keys of a JSON schema, dotted, lists as `[]`. */
function keysOfJsonSchema(schema: Node, key = ""): readonly string[] {
  const branches = [...((schema.anyOf as Node[]) ?? []), ...((schema.oneOf as Node[]) ?? [])];
  return [
    ...Object.entries((schema.properties as Node) ?? {}).flatMap(([name, child]) => {
      const path = key === "" ? name : `${key}.${name}`;
      return [path, ...keysOfJsonSchema(child as Node, path)];
    }),
    ...(schema.items ? keysOfJsonSchema(schema.items as Node, `${key}[]`) : []),
    ...branches.flatMap((branch) => keysOfJsonSchema(branch, key)),
  ];
}

/** A configuration with the value at one path and nothing else, but for the name that tells a middleware's kind. */
function only(config: Node, path: readonly Step[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return config;
  const child = only(config[step] as Node, rest);
  if (typeof step === "number") return [child];
  return "name" in config ? { name: config.name, [step]: child } : { [step]: child };
}

function render(path: readonly Step[]): string {
  return path
    .map((step) => {
      if (typeof step === "number") return `[${step}]`;
      return /^[A-Za-z0-9_-]+$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join("")
    .replace(/^[.]/, "");
}

describe.each(MAJORS)("the key list of distribution %i.x", (major) => {
  const example = exampleOf(major);
  const places = placesIn(example);

  it("has exactly the keys of the complete example", () => {
    const schema = z.toJSONSchema(distributionSchema(major)) as Node;
    expect([...new Set(keysOfJsonSchema(schema))].sort()).toEqual(
      [...new Set(places.map((place) => place.key))].sort(),
    );
  });

  it("accepts each key's example on its own", () => {
    const refused = places.filter(({ path }) => !distributionSchema(major).safeParse(only(example, path)).success);
    expect(refused.map((place) => place.key)).toEqual([]);
  });

  it("describes each key in one line", () => {
    const undescribed: string[] = [];
    const visit = (schema: Node, key: string): void => {
      for (const [name, child] of Object.entries((schema.properties as Node) ?? {})) {
        const about = (child as Node).description;
        const isNameOfKind = name === "name" && key.startsWith("middleware.storage");
        if (!isNameOfKind && !/^.{3,120}$/.test(String(about ?? ""))) undescribed.push(`${key}.${name}`);
        visit(child as Node, `${key}.${name}`.replace(/^[.]/, ""));
      }
      for (const branch of [schema.items, ...((schema.anyOf as Node[]) ?? []), ...((schema.oneOf as Node[]) ?? [])]) {
        if (branch) visit(branch as Node, key);
      }
    };
    visit(z.toJSONSchema(distributionSchema(major)) as Node, "");
    expect(undescribed).toEqual([]);
  });

  it("reports an unknown key anywhere with exactly its path", () => {
    const maps = [{ path: [] as readonly Step[], value: example as unknown, key: "" }, ...places]
      .filter(({ value, key }) => typeof value === "object" && value !== null && !OPEN_MAPS.test(key))
      .flatMap(({ path, value }) =>
        Array.isArray(value)
          ? value.map((item: unknown, index) => ({ path: [...path, index], value: item }))
          : [{ path, value }],
      )
      .filter(({ value }) => typeof value === "object");
    const before = new Set(checkDistribution(example, major).map((issue) => issue.path));
    const known = new Set(places.map((place) => String(place.path.at(-1))));
    const unknown = fc
      .oneof(fc.stringMatching(/^[a-z][a-z0-9_-]{0,11}$/), fc.string())
      .filter((key) => !known.has(key));
    fc.assert(
      fc.property(fc.constantFrom(...maps), unknown, ({ path }, key) => {
        const config = structuredClone(example);
        const map = path.reduce<Node>((node, step) => node[step] as Node, config);
        Object.defineProperty(map, key, { value: 1, enumerable: true, configurable: true, writable: true });
        const added = checkDistribution(config, major).filter((issue) => !before.has(issue.path));
        expect(added).toEqual([
          {
            path: render([...path, key]),
            message: `is not a key of distribution ${major}.x`,
            hint: expect.any(String),
          },
        ]);
      }),
      { numRuns: runs(300) },
    );
  });
});
