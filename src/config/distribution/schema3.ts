import { commonSections } from "./sections.ts";
import { entry, section, whole } from "./values.ts";

/** Every key of config.yml in distribution 3.x (https://github.com/distribution/distribution/tree/v3.1.1). */
export function schema3() {
  return entry({
    ...commonSections(3),
    tags: section("tag lists; from 3.1", { maxtags: whole("most tags of a page (1000)", { min: 0 }) }),
  });
}
