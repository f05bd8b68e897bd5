import type { DistributionMajor } from "./major.ts";
import { azureDriver, gcsDriver, ossDriver, s3Driver, swiftDriver } from "./object-storage.ts";
import { choice, durationText, flag, section, sectionOrName, text, whole } from "./values.ts";

/** Keys of `storage` that name a driver, by major; the registry takes exactly one. */
export const STORAGE_DRIVERS: Readonly<Record<DistributionMajor, readonly string[]>> = {
  2: ["filesystem", "inmemory", "s3", "gcs", "azure", "swift", "oss"],
  3: ["filesystem", "inmemory", "s3", "gcs", "azure"],
};

export function storageSection(major: DistributionMajor) {
  const blobdescriptor = choice(
    ["inmemory", "redis"],
    "cache of blob descriptors; it goes stale at garbage collection",
  );
  const common = {
    filesystem: sectionOrName("files in a directory", {
      rootdirectory: text("root of the storage (/var/lib/registry)"),
      maxthreads: whole("concurrent file operations, at least 25 (100)", { min: 25 }),
    }),
    inmemory: sectionOrName("memory, lost at exit; tests only", {}),
    s3: s3Driver(major),
    gcs: gcsDriver(major),
    azure: azureDriver(major),
    delete: section("deletion over the API", { enabled: flag("manifests and blobs may be deleted (false)") }),
    redirect: section("redirects to the storage back end", {
      disable: flag("send the bytes through the registry (false)"),
    }),
    maintenance: section("background work and maintenance mode", {
      uploadpurging: section("removal of abandoned uploads", {
        enabled: flag("purge (true)"),
        age: durationText("older uploads go (168h)"),
        interval: durationText("time between runs (24h)"),
        dryrun: flag("only log what would go (false)"),
      }),
      readonly: section("refuse writes", { enabled: flag("PUT, POST, PATCH and DELETE answer 405 (false)") }),
    }),
  };
  if (major === 2) {
    return section("where images are stored: exactly one driver", {
      ...common,
      cache: section("descriptor cache", { blobdescriptor }),
      swift: swiftDriver(),
      oss: ossDriver(),
    });
  }
  return section("where images are stored: exactly one driver", {
    ...common,
    cache: section("descriptor cache", {
      blobdescriptor,
      blobdescriptorsize: whole("entries of the inmemory cache; 0 or less is unlimited (10000)"),
    }),
    tag: section("tag look-ups", {
      concurrencylimit: whole("parallel look-ups of a tag delete; 0 = one a CPU (0)", { min: 0 }),
    }),
  });
}
