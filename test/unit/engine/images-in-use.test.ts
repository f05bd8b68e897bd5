/** What Engine 20.10 answered about containers and services, recorded, and what becomes of it. */
import { describe, expect, it } from "vitest";
import { connectEngine } from "../../../src/engine/connect.ts";
import { ENGINE_20_10, serveEngine } from "./socket-server.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

/** What `images.inUse` makes of an engine that gives these answers, by path; all else is 404. */
async function inUse(answers: Readonly<Record<string, { status?: number; body: unknown }>>) {
  await using server = await serveEngine(ENGINE_20_10, (request, response) => {
    const path = (request.url ?? "").replace(/^\/v1\.41/, "").replace(/\?.*$/, "");
    const { status = 200, body } = answers[path] ?? { status: 404, body: { message: "page not found" } };
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const engine = await connectEngine({
    environment: { DOCKER_HOST: `unix://${server.socketPath}` },
    homeDirectory: "/x",
  });
  try {
    return await engine.images.inUse();
  } finally {
    engine.close();
  }
}

const NO_CONTAINERS = { "/containers/json": { body: [] } };
const refusal = (message: string) => ({ "/services": { status: 503, body: { message } } });
const swarm = (LocalNodeState: string, ControlAvailable: boolean) => ({
  "/info": { body: { Swarm: { LocalNodeState, ControlAvailable } } },
});

describe("images in use", () => {
  it("are those of a service and of what it would roll back to", async () => {
    const spec = (image: string) => ({ Name: "api", TaskTemplate: { ContainerSpec: { Image: image } } });
    const services = [
      { Spec: spec(`localhost:5000/team/api:2@${DIGEST}`), PreviousSpec: spec("localhost:5000/team/api:1") },
      { Spec: spec("web:1"), PreviousSpec: spec("web:1") },
      { Spec: { Name: "plugin", TaskTemplate: {} } },
    ];
    expect(await inUse({ ...NO_CONTAINERS, "/services": { body: services } })).toEqual([
      { by: "service api", image: `localhost:5000/team/api:2@${DIGEST}`, repoDigests: [] },
      { by: "service api", image: "localhost:5000/team/api:1", repoDigests: [] },
      { by: "service api", image: "web:1", repoDigests: [] },
    ]);
  });

  it("are those of a container as it was made, though the engine lists an id in their place", async () => {
    const container = { Id: "c1", Names: ["/web"], Image: "sha256:1", ImageID: "sha256:1" };
    const answers = {
      "/containers/json": { body: [container, { Id: "c2", Names: ["/gone"], Image: "old:1", ImageID: "sha256:2" }] },
      "/containers/c1/json": { body: { Config: { Image: "r.example.com/team/api:1" } } },
      "/images/sha256%3A1/json": {
        body: { Id: "sha256:1", RepoDigests: [`r.example.com/team/api@${DIGEST}`], Config: {} },
      },
      "/services": { body: [] },
    };
    expect(await inUse(answers)).toEqual([
      { by: "container web", image: "r.example.com/team/api:1", repoDigests: [`r.example.com/team/api@${DIGEST}`] },
      { by: "container gone", image: "old:1", repoDigests: [] },
    ]);
  });

  it.each([
    ["is in no Swarm", swarm("inactive", false)],
    ["is a worker", swarm("active", false)],
  ])("are none of services where the engine %s", async (_title, info) => {
    const message = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join"';
    expect(await inUse({ ...NO_CONTAINERS, ...refusal(message), ...info })).toEqual([]);
  });

  it("are none of services where the engine knows no services, as Podman", async () => {
    expect(await inUse(NO_CONTAINERS)).toEqual([]);
  });

  it.each([
    ["is locked", swarm("locked", false)],
    ["is without quorum", swarm("active", true)],
  ])("are not known, which is no reason to take them for none, where a manager %s", async (_title, info) => {
    const message = "Swarm is encrypted and needs to be unlocked before it can be used.";
    await expect(inUse({ ...NO_CONTAINERS, ...refusal(message), ...info })).rejects.toMatchObject({
      code: "engine-failed",
      message: expect.stringContaining(message),
      hint: expect.stringContaining("docker swarm unlock"),
    });
  });
});
