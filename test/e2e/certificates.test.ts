/** Certificates of the deployment's own authority: clients notice no renewal, and every client's verifier agrees. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { deployed, jsonOf, keep } from "../support/e2e-deployment.ts";
import { expectEveryClientTrusts, pushProbe, served } from "../support/e2e-verifiers.ts";
import type { Scenario } from "../support/scenario.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

describe("the deployment's own authority", () => {
  let registry: Scenario;
  /** What a client copied when the registry was new. */
  let copied: string;
  beforeAll(async () => {
    registry = keep(await deployed({ adopt: false }));
    const folder = keep(temporaryDirectory());
    copied = join(folder.path, "ca.crt");
    await registry.must(["certs", "ca", copied]);
    await pushProbe(registry);
  });

  it("satisfies every client's verifier from the first minute on", async () => {
    await expectEveryClientTrusts(registry, copied);
    expect(await readFile(copied, "utf8")).toBe((await registry.must(["certs", "ca"])).stdout);
  });

  it("renew serves a new certificate and key that clients with the old ca.crt trust; the authority stays", async () => {
    const before = await served(registry, copied);
    const key = await readFile(join(registry.directory, "certs/domain.key"), "utf8");
    const authorityKey = await readFile(join(registry.directory, "certs/ca.key"), "utf8");
    await registry.must(["certs", "renew"]);
    const after = await served(registry, copied);
    expect(after.chain[0]?.fingerprint256).not.toBe(before.chain[0]?.fingerprint256);
    expect(after.chain[0]?.publicKey.equals(before.chain[0]?.publicKey ?? after.chain[0].publicKey)).toBe(false);
    expect(await readFile(join(registry.directory, "certs/domain.key"), "utf8")).not.toBe(key);
    expect(await readFile(join(registry.directory, "certs/ca.key"), "utf8")).toBe(authorityKey);
    await expectEveryClientTrusts(registry, copied);
    const shown = await jsonOf<{ chain: { sha256: string }[] }>(registry, ["certs"]);
    expect(shown.chain[0]?.sha256.replaceAll(":", "").toLowerCase()).toBe(
      after.chain[0]?.fingerprint256.replaceAll(":", "").toLowerCase(),
    );
  });

  it("issue adds names to the certificate and to regctl.yaml, and keeps those there were", async () => {
    await registry.must(["certs", "issue", "registry.issue.test", "192.0.2.7"]);
    const [leaf] = (await served(registry, copied)).chain;
    for (const host of ["localhost", "registry.issue.test"]) expect(leaf?.checkHost(host)).toBe(host);
    expect(leaf?.checkIP("192.0.2.7")).toBe("192.0.2.7");
    expect(await readFile(join(registry.directory, "regctl.yaml"), "utf8")).toMatch(
      /^san:.*registry\.issue\.test.*192\.0\.2\.7/m,
    );
    await expectEveryClientTrusts(registry, copied);
    expect((await registry.must(["up"])).stdout).toBe("no changes\n");
  });
});
