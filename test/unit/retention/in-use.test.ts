import { describe, expect, it } from "vitest";
import type { ImageUse } from "../../../src/engine/engine.ts";
import { imagesInUse } from "../../../src/retention/in-use.ts";
import { digestOf } from "./facts.ts";

const use = (image: string, ...repoDigests: string[]): ImageUse => ({ by: "container web", image, repoDigests });
const HOSTS = ["localhost:5000", "registry.example.com"];

/** Who uses this one, as the engine sees it. */
const user = (uses: readonly ImageUse[], repository: string, tag: string | undefined, digest: string) =>
  imagesInUse(uses, HOSTS)(repository, tag, digest);

describe("in use is", () => {
  it.each<[string, ImageUse, string, string | undefined, string]>([
    ["the tag as written", use("localhost:5000/team/api:1"), "team/api", "1", digestOf(1)],
    ["latest, where none is written", use("localhost:5000/team/api"), "team/api", "latest", digestOf(1)],
    ["the tag under another name", use("registry.example.com/team/api:1"), "team/api", "1", digestOf(1)],
    ["the tag, with the standard port", use("Registry.Example.com:443/api:1"), "api", "1", digestOf(1)],
    ["the digest, under any tag", use("x", `localhost:5000/a/b@${digestOf(1)}`), "a/b", "other", digestOf(1)],
    ["the digest, under none", use("x", `localhost:5000/a/b@${digestOf(1)}`), "a/b", undefined, digestOf(1)],
    ["the digest a service is pinned to", use(`localhost:5000/a:1@${digestOf(1)}`), "a", undefined, digestOf(1)],
    ["the tag beside a pinned digest", use(`localhost:5000/a:1@${digestOf(1)}`), "a", "1", digestOf(2)],
    [
      "the digest, from a host nobody told of",
      use("hub.corp/a/b:1", `hub.corp/a/b@${digestOf(1)}`),
      "a/b",
      "9",
      digestOf(1),
    ],
  ])("%s", (_title, one, repository, tag, digest) => {
    expect(user([one], repository, tag, digest)).toBe("container web");
  });
});

describe("not in use is", () => {
  it.each<[string, ImageUse, string, string | undefined, string]>([
    ["another tag", use("localhost:5000/team/api:1"), "team/api", "2", digestOf(1)],
    ["the tag in another repository", use("localhost:5000/team/api:1"), "api", "1", digestOf(1)],
    ["the tag of another registry", use("team/api:1"), "team/api", "1", digestOf(1)],
    ["the tag at another port", use("localhost:5001/api:1"), "api", "1", digestOf(1)],
    ["the digest in another repository", use("x", `localhost:5000/a@${digestOf(1)}`), "b", "1", digestOf(1)],
    ["what an image id is written for", use(digestOf(1)), "a", "1", digestOf(1)],
    ["what is not written as a reference", use("Not an image"), "a", "1", digestOf(1)],
  ])("%s", (_title, one, repository, tag, digest) => {
    expect(user([one], repository, tag, digest)).toBeUndefined();
  });
});
