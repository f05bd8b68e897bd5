/** What is pushed between the survey of a collection and the moment things are set aside. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collectGarbage } from "../../../src/collect/gc.ts";
import * as gcTask from "../../../src/collect/gc-task.ts";
import { createTeam } from "../../../src/storage/team.ts";
import { type BareStore, bareStore, blobPath, layerPath } from "../../support/bare-store.ts";
import { brokenImages, storeState } from "../../support/store-state.ts";

/** Collects what is untagged; `push` happens when every repository was read and nothing was moved yet. */
async function collectWhile(root: string, push: () => void): Promise<void> {
  const { signal } = new AbortController();
  const team = createTeam(gcTask, { signal, maximumThreads: 1 });
  const weighUnreferenced: typeof gcTask.weighUnreferenced = function* (input, next) {
    push();
    return yield* gcTask.weighUnreferenced(input, next);
  };
  await collectGarbage(
    { root, name: root },
    team,
    { ...gcTask, weighUnreferenced },
    {
      untagged: true,
      dryRun: false,
      graceMs: 0,
      keepMs: 0,
      settleMs: 1,
      now: () => new Date(),
      signal,
      removeTree: async (path) => rmSync(path, { recursive: true, force: true }),
      flushCaches: undefined,
      onProgress: () => undefined,
    },
  );
  await team.close();
}

const contentOf = (store: BareStore, digest: string): string =>
  readFileSync(join(store.root, "docker/registry/v2", blobPath(digest), "data"), "utf8");

/** The manifest with its layers in another repository, as a push leaves it there. */
function pushAgain(store: BareStore, repository: string, digest: string, tag?: string): void {
  const content = contentOf(store, digest);
  const { config, layers = [] } = JSON.parse(content);
  for (const { digest: layer } of [...(config === undefined ? [] : [config]), ...layers])
    store.file(`${layerPath(repository, layer)}/link`, layer);
  store.manifest(repository, content, tag);
}

describe("what is pushed between the survey and setting aside", () => {
  it("is whole when it is an index that another repository has already", async () => {
    const store = bareStore();
    const children = ["amd64", "arm64"].map((layer) => store.image("first", { layers: [layer] }));
    const index = store.index("first", children, "multi");
    store.image("second", { layers: ["other"], tag: "latest" });
    for (const child of children) pushAgain(store, "second", child);
    store.age(7200);
    await collectWhile(store.root, () => pushAgain(store, "second", index, "multi"));
    expect(brokenImages(store.root)).toEqual([]);
    const { images } = storeState(store.root);
    for (const digest of [index, ...children]) expect(images).toContain(`second@${digest}`);
  });

  it("gets back the layers that were garbage until then", async () => {
    const store = bareStore();
    const image = store.image("first", { layers: ["garbage"] });
    store.image("second", { layers: ["other"], tag: "latest" });
    const kept = contentOf(store, image);
    rmSync(join(store.root, "docker/registry/v2/repositories/first/_manifests"), { recursive: true });
    store.age(7200);
    await collectWhile(store.root, () => store.manifest("first", kept, "again"));
    expect(brokenImages(store.root)).toEqual([]);
    expect(storeState(store.root).images).toContain(`first@${image}`);
  });

  it("is what a tag was moved to", async () => {
    const store = bareStore();
    const image = store.image("first", { layers: ["left behind"] });
    store.image("first", { layers: ["other"], tag: "latest" });
    store.age(7200);
    await collectWhile(store.root, () => store.tag("first", "latest", image));
    expect(brokenImages(store.root)).toEqual([]);
    expect(storeState(store.root).images).toContain(`first@${image}`);
  });
});
