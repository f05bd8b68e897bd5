import { describe, expect, it } from "vitest";
import { majorOfImage } from "../../../src/config/distribution/major.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

describe("majorOfImage", () => {
  it.each([
    ["registry:2", 2],
    ["registry:2.8.3", 2],
    ["registry:2-alpine", 2],
    ["registry:3", 3],
    ["registry:3.1.1-alpine", 3],
    ["docker.io/library/registry:3.0.0", 3],
    ["regctl/registry:2.8.2-debian", 2],
    ["ghcr.io/distribution/distribution:v3.0.0-beta.1", 3],
    ["localhost:5000/registry:v2", 2],
    [`registry:2.8.3@${DIGEST}`, 2],
  ] as const)("%s is %i.x", (reference, major) => {
    expect(majorOfImage(reference)).toBe(major);
  });

  it.each([
    "registry",
    "registry:latest",
    "distribution/distribution:edge",
    `registry@${DIGEST}`,
    "localhost:3000/registry",
    "registry:20",
    "registry:31.1",
    "registry:4.0.0",
    "registry:1",
    "registry:alpine-3",
  ])("%s does not tell", (reference) => {
    expect(majorOfImage(reference)).toBeUndefined();
  });

  it("believes what the user declares", () => {
    expect(majorOfImage("registry:latest", 3)).toBe(3);
    expect(majorOfImage("mirror/registry:2", 3)).toBe(3);
  });
});
