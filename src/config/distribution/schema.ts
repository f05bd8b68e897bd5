import type { z } from "zod";
import type { DistributionMajor } from "./major.ts";
import { schema2 } from "./schema2.ts";
import { schema3 } from "./schema3.ts";

const built = new Map<DistributionMajor, z.ZodType>();

/**
 * The schema of distribution's config.yml in one major, every key optional: what a user writes is laid over a complete
 * configuration. Built on first use. `z.toJSONSchema` of it carries a one-line description, with the default in
 * parentheses, at each key.
 */
export function distributionSchema(major: DistributionMajor): z.ZodType {
  const known = built.get(major);
  if (known) return known;
  const schema = major === 2 ? schema2() : schema3();
  built.set(major, schema);
  return schema;
}
