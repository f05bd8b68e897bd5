/** JSON Schema of regctl.yaml for editors and CI, with every key of distribution under `registry`. */
import { z } from "zod";
import { distributionSchema } from "./distribution/schema.ts";
import { writtenConfigSchema } from "./schema.ts";

export function configJsonSchema(): Record<string, unknown> {
  const schema = writtenConfigSchema.extend({
    registry: z
      .union([distributionSchema(2), distributionSchema(3)])
      .optional()
      .describe("Any key of distribution's config.yml."),
  });
  return { ...z.toJSONSchema(schema, { io: "input" }), title: "regctl.yaml" };
}
