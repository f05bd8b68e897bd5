import { z } from "zod";
import { authSection } from "./auth.ts";
import { healthSection } from "./health.ts";
import { httpSection } from "./http.ts";
import { logSection } from "./log.ts";
import type { DistributionMajor } from "./major.ts";
import { middlewareSection } from "./middleware.ts";
import { notificationsSection } from "./notifications.ts";
import { proxySection } from "./proxy.ts";
import { redisSection } from "./redis.ts";
import { storageSection } from "./storage.ts";
import { validationSection } from "./validation.ts";
import { section, texts, whole } from "./values.ts";

/** The sections both majors have, each with that major's keys. */
export function commonSections(major: DistributionMajor) {
  return {
    version: z
      .literal(["0.1", 0.1], { error: "should be 0.1" })
      .optional()
      .describe("version of the configuration format (0.1)"),
    log: logSection(major),
    storage: storageSection(major),
    auth: authSection(major),
    middleware: middlewareSection(major),
    http: httpSection(major),
    notifications: notificationsSection(),
    redis: redisSection(major),
    health: healthSection(),
    catalog: section("the catalog", { maxentries: whole("most entries of a page (1000)") }),
    proxy: proxySection(major),
    validation: validationSection(major),
    policy: section("policies (never finished upstream)", {
      repository: section("repositories", { classes: texts("allowed repository classes") }),
    }),
  };
}
