import type { DistributionMajor } from "./major.ts";
import { duration, section, text, url } from "./values.ts";

export function proxySection(major: DistributionMajor) {
  const about = "pull-through cache of another registry; refuses pushes";
  const common = {
    remoteurl: url("registry to cache; must answer at start"),
    username: text("user there"),
    password: text("password there"),
  };
  if (major === 2) return section(about, common);
  return section(about, {
    ...common,
    ttl: duration("age at which cached content goes; 0 = never (168h)"),
    exec: section("credential helper", {
      command: text("program to run"),
      lifetime: duration("time its answer is kept"),
    }),
    cachewritetimeout: duration("time to store a fetched blob; from 3.1 (5m)"),
  });
}
