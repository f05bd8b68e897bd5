import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { configJsonSchema } from "../../../src/config/json-schema.ts";

it("is what the file in schema/ says; if not: regctl config schema > schema/regctl.schema.json", () => {
  const file = readFileSync(new URL("../../../schema/regctl.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});
