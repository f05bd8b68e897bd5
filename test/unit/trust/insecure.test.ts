import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withInsecure, withoutInsecure } from "../../../src/trust/insecure.ts";

const settings = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12 }).filter((key) => key !== "insecure-registries" && key !== "__proto__"),
  fc.jsonValue({ maxDepth: 2 }),
);
const names = fc.uniqueArray(fc.constantFrom("a.test:5000", "b.test", "10.0.0.1:5000", "[::1]:5000"), { minLength: 1 });

describe("daemon.json", () => {
  it("gets registries and loses them again, and keeps every other key", () => {
    fc.assert(
      fc.property(settings, fc.option(names, { nil: undefined }), names, (others, list, added) => {
        const before = JSON.stringify(list === undefined ? others : { ...others, "insecure-registries": list });
        const edit = withInsecure(before, added);
        expect(edit.changed).toEqual(added.filter((name) => !list?.includes(name)));
        const text = edit.text ?? before;
        const { "insecure-registries": now, ...rest } = JSON.parse(text);
        expect(rest).toEqual(JSON.parse(JSON.stringify(others)));
        expect(now).toEqual([...(list ?? []), ...edit.changed]);
        expect(withInsecure(text, added)).toEqual({ changed: [], text: undefined });
        const removed = withoutInsecure(text, edit.changed);
        if (edit.changed.length > 0)
          expect(JSON.parse(removed.text ?? "")).toEqual({ ...JSON.parse(before), "insecure-registries": list ?? [] });
      }),
    );
  });

  it("is made when it is missing or empty, and keeps the way it is indented", () => {
    expect(withInsecure("", ["a:1"]).text).toBe('{\n  "insecure-registries": [\n    "a:1"\n  ]\n}\n');
    expect(withInsecure('{\n\t"debug": true\n}', ["a:1"]).text).toContain(
      '\n\t"debug": true,\n\t"insecure-registries"',
    );
  });

  it("keeps an empty list, which an engine that runs needs to see", () => {
    expect(JSON.parse(withoutInsecure('{"insecure-registries":["a:1"]}', ["a:1"]).text ?? "")).toEqual({
      "insecure-registries": [],
    });
  });

  it.each(['{"a":1,}', "[]", "null", "3", '{"insecure-registries":"a"}', '{"insecure-registries":[1]}'])(
    "refuses %s",
    (text) => {
      for (const change of [withInsecure, withoutInsecure])
        expect(() => change(text, ["a:1"])).toThrow(expect.objectContaining({ code: "precondition-failed" }));
    },
  );
});
