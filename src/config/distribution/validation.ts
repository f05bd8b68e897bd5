import type { DistributionMajor } from "./major.ts";
import { choice, entry, flag, listOf, section, text, texts } from "./values.ts";

export function validationSection(major: DistributionMajor) {
  const urls = section("foreign layer URLs; none are allowed while both lists are empty", {
    allow: texts("regular expressions a URL must match"),
    deny: texts("regular expressions a URL must not match"),
  });
  const indexes = section("platforms an index must have all of", {
    platforms: choice(["all", "none", "list"], "which images must exist (all)"),
    platformlist: listOf("platforms of list", entry({ architecture: text("GOARCH"), os: text("GOOS") })),
  });
  return section("checks of pushed manifests", {
    disabled: flag("no checks (false)"),
    manifests: section("manifests", major === 2 ? { urls } : { urls, indexes }),
  });
}
