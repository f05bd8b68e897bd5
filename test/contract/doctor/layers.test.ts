/** A registry that lost layers, as after a garbage collection behind its back: a real one, with and without a cache. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { blobFolder, hexOf } from "../../../src/storage/layout.ts";
import { findings, look, notSeen } from "../../support/doctor.ts";
import { type LiveRegistry, liveRegistry } from "../../support/live-registry.ts";
import { pushClient } from "../../support/push-client.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const store = temporaryDirectory();
let registry: LiveRegistry;
let gone: string;

beforeAll(async () => {
  registry = await liveRegistry({ store: store.path, cache: "inmemory" });
  using client = pushClient(registry.host);
  await client.pushImage({ repository: "team/whole", tag: "1", layers: [Buffer.from("a layer that stays")] });
  const layer = await client.pushBlob("team/app", Buffer.from("a layer that goes"));
  gone = layer.digest;
  await client.pushImage({ repository: "team/app", tag: "1", layers: [Buffer.from("a layer that goes")] });
  await rm(join(store.path, blobFolder(hexOf(gone) as string)), { recursive: true });
});

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

it("has nothing to say of an image that is whole", async () => {
  expect(findings(await look(`${registry.url}/team/whole:1`))).toEqual([]);
});

it("cannot look at one that is not there", async () => {
  expect(notSeen(await look(`${registry.url}/team/none:1`))).toEqual(["layers-present"]);
});

it("finds a layer the cache still knows, and one that is simply gone", async () => {
  const cached = await look(`${registry.url}/team/app:1`);
  expect(findings(cached)).toEqual([
    expect.stringContaining(`has layers of team/app:1 and does not send them: ${gone}`),
  ]);
  expect(cached.checks.find(({ id }) => id === "layers-present")?.fix).toContain("regctl restart");
  await registry.restart();
  expect(findings(await look(`${registry.url}/team/app:1`))).toEqual([
    `broken layers-present: layers of team/app:1 are gone: ${gone}`,
  ]);
});

it("says that it did not look when the registry is down", async () => {
  await registry.stop();
  expect(notSeen(await look(`${registry.url}/team/app:1`))).toContain("layers-present");
});
