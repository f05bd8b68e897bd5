/** What is said of images has to be the same whether a real registry or its files are asked. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFrom, randomStore } from "../support/generated-store.mjs";
import { type LiveRegistry, liveRegistry } from "../support/live-registry.ts";
import { secretForTest } from "../support/recorded-outputs.ts";
import { type RunOptions, run } from "../support/run.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { type NaiveRepository, naiveRepositories, sizeOf } from "../unit/catalog/naive-store.ts";

const folder = temporaryDirectory();
const store = join(folder.path, "store");
const deployment = join(folder.path, "deployment");
const password = secretForTest();
let registry: LiveRegistry;

beforeAll(async () => {
  // A platform whose manifest was deleted cannot be weighed over the API.
  randomStore(store, randomFrom("served 55"), { deletedChildren: false, tags: 8 });
  registry = await liveRegistry({ store, htpasswd: `reader:${await bcrypt.hash(password, 5)}\n` });
  await mkdir(deployment);
  const [domain, port] = registry.host.split(":");
  const lines = [
    "name: served",
    `domain: ${domain}`,
    "bind: 127.0.0.1",
    `port: ${port}`,
    `data: ${store}`,
    "tls: { mode: none }",
    "auth: { mode: htpasswd }",
  ];
  await writeFile(join(deployment, "regctl.yaml"), `${lines.join("\n")}\n`);
  return async () => registry[Symbol.asyncDispose]();
}, 60_000);
afterAll(() => folder[Symbol.asyncDispose]());

const regctl = (argv: readonly string[], options: RunOptions = {}) => run(["-C", deployment, ...argv], options);
const login = ["--user", "reader", "--password-stdin"];
async function data(argv: readonly string[], source: "disk" | "api") {
  const access = source === "api" ? ["--api", ...login] : [];
  const { exitCode, stdout, stderr } = await regctl(["--json", ...argv, ...access], { stdin: password });
  expect({ argv, exitCode, stderr }).toEqual({ argv, exitCode: 0, stderr: "" });
  const document = JSON.parse(stdout);
  expect(document.data.source).toBe(source);
  return document.data;
}

/** What tags lead to, through indexes. */
function taggedBlobs({ tags, revisions }: NaiveRepository): Set<string> {
  const blobs = new Set<string>();
  const waiting = [...tags.values()];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (blobs.has(digest)) continue;
    blobs.add(digest);
    const manifest = revisions.get(digest);
    waiting.push(...(manifest?.children ?? []));
    for (const other of manifest?.references ?? []) if (!manifest?.children.includes(other)) blobs.add(other);
  }
  return blobs;
}

describe("over the API", () => {
  it("repos lists what 2.8's catalog does, and weighs what tags lead to", async () => {
    const naive = naiveRepositories(store);
    const { repositories } = await data(["repos"], "api");
    expect(repositories.length).toBeGreaterThan(3);
    for (const repository of repositories) {
      const one = naive.find(({ name }) => name === repository.name) as NaiveRepository;
      const blobs = [...taggedBlobs(one)];
      const others = new Set(naive.filter((other) => other !== one).flatMap((other) => [...taggedBlobs(other)]));
      const sum = (digests: readonly string[]) => digests.reduce((bytes, digest) => bytes + sizeOf(store, digest), 0);
      expect(repository).toMatchObject({
        tags: one.tags.size,
        sizeBytes: sum(blobs),
        exclusiveBytes: sum(blobs.filter((digest) => !others.has(digest))),
        lastPush: null,
      });
    }
  });

  it("repos --no-sizes gives the same names as the files", async () => {
    const names = async (source: "disk" | "api") =>
      (await data(["repos", "--no-sizes"], source)).repositories.map(({ name }: { name: string }) => name);
    const [fromDisk, fromApi] = [await names("disk"), await names("api")];
    // 2.8 lists what has a `_layers`.
    expect(fromDisk).toEqual(expect.arrayContaining(fromApi));
    expect(fromApi.length).toBeGreaterThan(3);
  });

  it("tags and inspect say the same of every tag", async () => {
    const { repositories } = await data(["repos"], "disk");
    let compared = 0;
    for (const { name, tags } of repositories) {
      if (tags === 0) continue;
      const [fromDisk, fromApi] = [await data(["tags", name], "disk"), await data(["tags", name], "api")];
      const withoutTimes = (list: readonly object[]) => list.map((tag) => ({ ...tag, pushed: null }));
      expect(fromApi.tags).toEqual(withoutTimes(fromDisk.tags));
      for (const { tag } of fromApi.tags) {
        const [disk, api] = [
          await data(["inspect", `${name}:${tag}`], "disk"),
          await data(["inspect", `${name}:${tag}`], "api"),
        ];
        const referrers = disk.referrers.filter(({ by }: { by: string }) => by !== "subject");
        const known = api.referrers.map(({ digest }: { digest: string }) => digest);
        // What is attached by `subject` alone is only on disk.
        expect(known).toEqual(expect.arrayContaining(referrers.map(({ digest }: { digest: string }) => digest)));
        expect({ ...api, referrers: [] }).toEqual({ ...disk, source: "api", pushed: null, parents: [], referrers: [] });
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(8);
  });

  it("inspect --raw gives the same bytes", async () => {
    const { repositories } = await data(["repos"], "disk");
    const { name } = repositories.find(({ tags }: { tags: number }) => tags > 0);
    const [tag] = (await data(["tags", name], "disk")).tags;
    const disk = await regctl(["inspect", `${name}:${tag.tag}`, "--raw"]);
    const api = await regctl(["inspect", `${registry.host}/${name}:${tag.tag}`, "--raw", "--api", ...login], {
      stdin: password,
    });
    expect(api).toEqual(disk);
    expect(disk.stdout).toContain("schemaVersion");
  });

  it("uses what docker login stored, and says when that is nothing or wrong", async () => {
    const home = join(folder.path, "home");
    const stored = async (text: string) => {
      await mkdir(join(home, ".docker"), { recursive: true });
      const auth = Buffer.from(`reader:${text}`).toString("base64");
      await writeFile(join(home, ".docker/config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
      return regctl(["repos", "--no-sizes", "--api"], { environment: { HOME: home } });
    };
    expect(await stored(password)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await stored("wrong")).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("hint:") });
    expect(await regctl(["repos", "--api"])).toMatchObject({ exitCode: 1, stdout: "" });
  });

  it("tells an unknown repository or tag, with the near one", async () => {
    const { repositories } = await data(["repos"], "api");
    const { name } = repositories.find((one: { name: string; tags: number }) => one.tags > 0 && one.name.length > 3);
    const typo = `${name}x`;
    const options = { stdin: password };
    expect(await regctl(["tags", typo, "--api", ...login], options)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`is it ${name}?`),
    });
    expect(await regctl(["inspect", `${name}:no-such-tag`, "--api", ...login], options)).toMatchObject({ exitCode: 2 });
  });
});
