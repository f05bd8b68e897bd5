import { z } from "zod";
import type { DistributionMajor } from "./major.ts";
import { choice, durationText, entry, flag, listOf, openMap, section, text } from "./values.ts";

/** `registry` and `repository` have no built-in middleware: any name, for images built with one. */
export function middlewareSection(major: DistributionMajor) {
  const custom = entry({
    name: text("name it was registered under"),
    disabled: flag("not evaluated by the registry"),
    options: openMap("its options"),
  });
  return section("middleware around the registry, its repositories and its storage", {
    registry: listOf("around the registry", custom),
    repository: listOf("around each repository", custom),
    storage: listOf("around the storage driver", storageMiddleware(major)),
  });
}

function storageMiddleware(major: DistributionMajor) {
  const redirect = named("redirect", { baseurl: text("where clients are sent; required") });
  const cloudfront = named("cloudfront", {
    baseurl: text("URL of the distribution; required"),
    privatekey: text("PEM private key file; required"),
    keypairid: text("CloudFront key pair; required"),
    duration: durationText("lifetime of a signed URL (20m)"),
    ipfilteredby: choice(["none", "aws", "awsregion"], "clients sent straight to S3 (none)"),
    awsregion: text("regions of awsregion, separated by commas"),
    updatefrequency: durationText("time between reads of the IP ranges (12h)"),
    iprangesurl: text("list of AWS IP ranges"),
  });
  const rewrite = named("rewrite", {
    scheme: text("scheme put into redirects"),
    host: text("host put into redirects"),
    trimpathprefix: text("prefix cut from the path of redirects"),
  });
  const alicdn = named("alicdn", {
    baseurl: text("URL of the CDN; required"),
    authtype: text("kind of URL signature"),
    privatekey: text("signing key"),
    duration: durationText("lifetime of a signed URL (20m)"),
  });
  const own = major === 2 ? alicdn : rewrite;
  const names = `should be cloudfront, redirect or ${major === 2 ? "alicdn" : "rewrite"}`;
  return z.discriminatedUnion("name", [cloudfront, redirect, own], {
    error: (issue) => (issue.code === "invalid_union" ? names : "should be a map of keys"),
  });
}

function named<const Name extends string, Shape extends z.ZodRawShape>(name: Name, options: Shape) {
  return entry({
    name: z.literal(name),
    disabled: flag("not evaluated by the registry"),
    options: section(`options of ${name}`, options),
  });
}
