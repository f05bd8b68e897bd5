/** Where `init` and `up` get the image from, and what they do when they cannot. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../src/errors.ts";
import { freePort } from "../contract/free-port.ts";
import { adoptCertificates } from "../support/adopt-certificates.ts";
import { edit, keep, made } from "../support/made-deployment.ts";
import { type RunOptions, run } from "../support/run.ts";
import { ServingEngine } from "../support/serving-engine.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const ASSEMBLED = "regctl/registry:2.8.2-debian";

async function init(
  images: readonly string[],
  flags: readonly string[],
  options: RunOptions = {},
  pullable: string[] = [],
) {
  const root = keep(temporaryDirectory());
  const engine = keep(new ServingEngine({ images, pullable }));
  await adoptCertificates(join(root.path, "acme"));
  const argv = ["init", "acme", "--yes", "--port", String(await freePort()), "--bcrypt-cost", "5", ...flags];
  const result = await run(argv, { engine, cwd: root.path, ...options });
  const directory = join(root.path, "acme");
  /** Other than the certificates that were there before. */
  const left = async () => (await readdir(directory)).filter((name) => name !== "certs");
  return { directory, left, engine, result };
}

const imageOf = async (directory: string) =>
  /^image: (.*)$/m.exec(await readFile(join(directory, "regctl.yaml"), "utf8"))?.[1];

describe("init", () => {
  it("pulls the default image, and says that it did", async () => {
    const { result, directory, engine } = await init([], [], {}, ["registry:2"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("ok pull registry:2") });
    expect(result.stdout).toContain("registry:2 (pulled)");
    expect(await imageOf(directory)).toBe("registry:2");
    expect((await engine.containers.inspect("acme-registry-1"))?.image).toBe("registry:2");
  });

  it("takes the one made of packages when the default cannot be reached, and announces it", async () => {
    const { result, directory, engine } = await init([ASSEMBLED], []);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain("pull registry:2  not reachable");
    expect(result.stderr).toMatch(/^warning: cannot pull registry:2: .*no such host.*; .*packages instead$/m);
    expect(result.stdout).toContain(`${ASSEMBLED} (packages)`);
    expect(await imageOf(directory)).toBe(ASSEMBLED);
    expect((await engine.containers.inspect("acme-registry-1"))?.image).toBe(ASSEMBLED);
    expect((await run(["up", "-C", directory], { engine })).stdout).toBe("no changes\n");
  });

  it("announces it as JSON where JSON was asked for", async () => {
    const { result } = await init([ASSEMBLED], ["--json"]);
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stderr)).toEqual({
      warning: { message: expect.stringContaining("cannot pull registry:2") },
    });
    expect((JSON.parse(result.stdout) as { data: object }).data).toMatchObject({
      image: ASSEMBLED,
      imageSource: "packages",
    });
  });

  it.each(["registry:2.8.3", "mine.test/registry:2", "regctl/other:2"])(
    "never replaces the image that was asked for: %s",
    async (image) => {
      const { result, left } = await init([ASSEMBLED, "registry:2"], ["--image", image]);
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result.stderr).toContain(`cannot pull ${image}`);
      expect(await left()).toEqual([]);
    },
  );

  it.each(["not-found", "unauthorized", "tls", "rate-limit", "other"])(
    "does not fall back when the registry itself refuses: %s",
    async (reason) => {
      const root = keep(temporaryDirectory());
      const engine = keep(new ServingEngine({ images: [ASSEMBLED] }));
      const refusal = new RegctlError("image-unavailable", "cannot pull registry:2: it says no", {
        details: { reason },
      });
      engine.fake.failOn("images.pull", refusal);
      const result = await run(["init", "acme", "--yes", "--json", "--port", String(await freePort())], {
        ...{ engine, cwd: root.path },
      });
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(JSON.parse(result.stderr)).toMatchObject({ error: { code: "image-unavailable", details: { reason } } });
      expect(await readdir(root.path)).toEqual([]);
    },
  );

  it("uses packages where there is neither image nor network, and says what it takes when there are none", async () => {
    const home = keep(temporaryDirectory());
    const missing = async (file: string) => {
      if (file === "flock") return { exitCode: 0, stdout: "", stderr: "" };
      throw new RegctlError("not-found", `there is no program ${file}`);
    };
    const { result, left } = await init([], [], {
      environment: { HOME: home.path, XDG_CACHE_HOME: home.path },
      surroundings: { userId: 1000, run: missing },
    });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(
      /failed assemble the registry image from packages\nregctl: cannot assemble the image/,
    );
    expect(await left()).toEqual([]);
  });

  describe("--offline", () => {
    it.each([
      ["the image itself", ["registry:2", ASSEMBLED], "registry:2"],
      ["the one made of packages, for the default", [ASSEMBLED], ASSEMBLED],
    ])("takes %s from the engine", async (_, images, expected) => {
      const { result, directory, engine } = await init(images, ["--offline"], {}, ["registry:2"]);
      expect(result.exitCode).toBe(0);
      expect(await imageOf(directory)).toBe(expected);
      expect(engine.fake.calls).not.toContain("images.pull");
    });

    it.each(["registry:2", "registry:2.8.3"])("fails for %s, with the way to carry it here", async (image) => {
      const images = image === "registry:2" ? [] : [ASSEMBLED];
      const { result, left } = await init(images, ["--offline", "--image", image], {}, [image]);
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(result.stderr).toContain(`regctl images save --output images.tar ${image}; here: regctl images load`);
      expect(await left()).toEqual([]);
    });
  });
});

describe("up", () => {
  it("gets an image that is gone, or writes down the one it took instead", async () => {
    const { directory, engine: before } = await made();
    await run(["down", "-C", directory], { engine: before });
    const engine = keep(new ServingEngine({ images: [ASSEMBLED] }));
    const planned = await run(["up", "-C", directory, "--dry-run"], { engine });
    expect(planned.stdout).toMatch(/\+ image +registry:2 +not on this engine; pulled/);
    expect(engine.fake.calls).not.toContain("images.pull");
    const text = await readFile(join(directory, "regctl.yaml"), "utf8");
    const result = await run(["up", "-C", directory], { engine });
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`regctl.yaml now says image: ${ASSEMBLED}`),
    });
    expect(await readFile(join(directory, "regctl.yaml"), "utf8")).toBe(
      text.replace("image: registry:2", `image: "${ASSEMBLED}"`),
    );
    expect((await run(["up", "-C", directory, "--dry-run"], { engine })).stdout).toBe("no changes\n");
  });

  it("leaves the old container running when the new image cannot be had", async () => {
    const { directory, engine } = await made();
    await edit(directory, "image: registry:2", "image: registry:2.8.3");
    for (const flags of [[], ["--offline"]]) {
      const result = await run(["up", "-C", directory, ...flags], { engine });
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect((await engine.containers.inspect("acme-registry-1"))?.state).toBe("running");
    }
  });
});
