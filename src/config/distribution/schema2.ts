import { commonSections } from "./sections.ts";
import { entry, flag, section, text } from "./values.ts";

/** Every key of config.yml in distribution 2.8 (https://github.com/distribution/distribution/tree/v2.8.3). */
export function schema2() {
  return entry({
    ...commonSections(2),
    reporting: section("error reporting", {
      bugsnag: section("Bugsnag", {
        apikey: text("API key"),
        releasestage: text("stage"),
        endpoint: text("endpoint"),
      }),
      newrelic: section("New Relic", {
        licensekey: text("licence key"),
        name: text("application name"),
        verbose: flag("verbose output (false)"),
      }),
    }),
    compatibility: section("deprecated formats", {
      schema1: section("schema 1 manifests", {
        signingkeyfile: text("key their signatures are made with"),
        enabled: flag("accept them (false)"),
      }),
    }),
  });
}
