import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { edit, type Made, made } from "../support/made-deployment.ts";
import { onEngineCall } from "../support/on-engine-call.ts";
import { run } from "../support/run.ts";

describe("status", () => {
  it("is healthy, has the promised JSON and exit 0", async () => {
    const { directory, engine, port } = await made();
    const result = await run(["status", "-C", directory, "--json"], { engine });
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({
      kind: "status",
      data: {
        name: "acme",
        url: `https://localhost:${port}`,
        healthy: true,
        drift: [],
        containers: [{ service: "registry", name: "acme-registry-1", image: "registry:2" }],
        certificate: { daysLeft: 396, sans: ["localhost", "127.0.0.1", "::1"] },
        users: 1,
        disk: { bytes: expect.any(Number) },
      },
    });
  });

  it("asks the engine once what runs", async () => {
    const { directory, engine } = await made();
    const asked: string[] = [];
    const watched = onEngineCall(engine, (_, operation) => void asked.push(operation));
    expect(await run(["status", "-C", directory], { engine: watched })).toMatchObject({ exitCode: 0 });
    expect(asked.sort()).toEqual(["containers.list", "containers.list", "images.inspect", "networks.inspect"]);
  });

  it.each<[string, (made: Made) => Promise<unknown>, RegExp]>([
    ["a stopped container", ({ engine }) => engine.containers.stop("acme-registry-1"), /it is exited/],
    [
      "an edited configuration",
      ({ directory }) => edit(directory, "level: info", "level: warn"),
      /registry\/config.yml/,
    ],
    [
      "a certificate edited away",
      ({ directory }) => writeFile(join(directory, "certs/domain.crt"), "x"),
      /cannot be read/,
    ],
    [
      "a malformed user file",
      ({ directory }) => writeFile(join(directory, "auth/htpasswd"), "broken\n"),
      /line 1: has no colon/,
    ],
    [
      "an unhealthy container",
      async ({ engine }) => engine.fake.setHealth("acme-registry-1", "unhealthy", "wget: 503"),
      /health check fails: wget: 503/,
    ],
  ])("says exit 3 for %s", async (_, spoil, expected) => {
    const deployment = await made();
    await spoil(deployment);
    const result = await run(["status", "-C", deployment.directory], { engine: deployment.engine });
    expect(result.stdout).toMatch(expected);
    expect(result.exitCode).toBe(3);
  });
});
