/** Delete regctl and `docker compose` runs the same thing: both agree on every object, in both directions. */
import { beforeAll, describe, expect, it } from "vitest";
import { curl } from "../support/clients.ts";
import { compose } from "../support/compose.ts";
import { answer, changesOfUp, deployed, edit, keep, onlyContainer } from "../support/e2e-deployment.ts";
import { mustRun, type ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";

let registry: Scenario;
beforeAll(async () => {
  registry = keep(await deployed());
});

async function composed(...args: string[]): Promise<ProgramResult> {
  const result = await compose(args, { cwd: registry.directory });
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result;
}

/** compose lists what it considers its own. */
async function listedByCompose(): Promise<string[]> {
  const { stdout } = await composed("ps", "--all", "--format", "{{.Name}} {{.Service}} {{.State}}");
  return stdout.split("\n").filter(Boolean);
}

async function expectRegctlAgrees(): Promise<void> {
  const status = await registry.must(["status", "--json"]);
  expect(JSON.parse(status.stdout)).toMatchObject({ data: { healthy: true, drift: [] } });
  expect(await changesOfUp(registry)).toEqual([]);
  expect(await answer(registry)).toBe(200);
}

describe("what regctl started", () => {
  it("is listed by docker compose, with its logs", async () => {
    expect(await listedByCompose()).toEqual([`${registry.name}-registry-1 registry running`]);
    expect((await composed("logs", "registry")).stdout).toContain("listening on");
  });

  it("is left alone by docker compose up, which finds nothing to change", async () => {
    const before = await onlyContainer(registry);
    await composed("up", "--detach", "--wait");
    const after = await onlyContainer(registry);
    expect(after.Id).toBe(before.Id);
    expect(after.State.StartedAt).toBe(before.State.StartedAt);
    await expectRegctlAgrees();
  });

  it("carries the hash compose works out for its file, whatever is in it", async () => {
    const hash = async () => (await composed("config", "--hash", "registry")).stdout.trim().split(" ")[1];
    const label = async () => (await onlyContainer(registry)).Config.Labels["com.docker.compose.config-hash"];
    expect(await label()).toBe(await hash());
    await edit(registry.directory, "san: []", "san: [registry.compose.test]");
    await edit(registry.directory, "level: info", "level: warn\n  http:\n    draintimeout: 95s");
    await registry.must(["up"]);
    expect(await label()).toBe(await hash());
  });

  it("goes with docker compose down, and regctl up brings it back", async () => {
    await composed("down");
    expect(await registry.containers()).toEqual([]);
    expect((await registry.regctl(["status"])).exitCode).toBe(3);
    await registry.must(["up"]);
    await onlyContainer(registry);
    await expectRegctlAgrees();
  });

  it("can be stopped and started by docker compose", async () => {
    const { Id } = await onlyContainer(registry);
    await composed("stop");
    expect((await registry.regctl(["status"])).exitCode).toBe(3);
    await composed("start");
    expect((await onlyContainer(registry)).Id).toBe(Id);
    await registry.must(["up"]);
    await expectRegctlAgrees();
  });
});

describe("what docker compose started", () => {
  it("is the same container regctl would have started, and regctl changes nothing", async () => {
    const seen = async () => {
      const { Id } = await onlyContainer(registry);
      const format = "{{json .}}";
      return JSON.parse((await mustRun("docker", ["inspect", "--format", format, Id])).stdout) as Inspected;
    };
    const byRegctl = comparable(await seen());
    await registry.must(["down"]);
    await composed("up", "--detach", "--wait");
    expect(comparable(await seen())).toEqual(byRegctl);
    await expectRegctlAgrees();
    expect(await listedByCompose()).toEqual([`${registry.name}-registry-1 registry running`]);
    expect((await curl(`https://localhost:${registry.port}/v2/`, { caFile: registry.caFile })).status).toBe(401);
  });

  it("is taken down by regctl, network and all", async () => {
    await registry.must(["down"]);
    expect(await listedByCompose()).toEqual([]);
    const filter = `label=com.docker.compose.project=${registry.name}`;
    expect((await mustRun("docker", ["network", "ls", "--quiet", "--filter", filter])).stdout).toBe("");
    await registry.must(["up"]);
  });
});

interface Inspected {
  readonly Name: string;
  readonly Image: string;
  readonly Config: { readonly Labels: Record<string, string>; readonly [key: string]: unknown };
  readonly HostConfig: Record<string, unknown>;
  readonly Mounts: readonly { readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly Aliases: readonly string[] }> };
}

/** How a container was asked for, without what is new in each and without the different ways to ask for the same. */
function comparable({ Name, Image, Config, HostConfig, Mounts, NetworkSettings }: Inspected): unknown {
  const { Labels, Hostname, AttachStdout, AttachStderr, Volumes, ...config } = Config;
  const labels = Object.entries(Labels).filter(
    ([key]) => !/^com\.docker\.compose\.(version|depends_on|project\.config_files)$/.test(key),
  );
  const isDefault = (value: unknown) =>
    value === null ||
    value === "" ||
    value === 0 ||
    value === false ||
    JSON.stringify(value) === "[]" ||
    JSON.stringify(value) === "{}";
  const host = Object.entries(HostConfig).filter(
    ([key, value]) => !isDefault(value) && key !== "Mounts" && key !== "ConsoleSize",
  );
  return {
    Name,
    Image,
    labels: labels.sort(),
    config: Object.fromEntries(Object.entries(config).filter(([, value]) => !isDefault(value))),
    host: Object.fromEntries(host),
    mounts: [...Mounts].sort((a, b) => a.Destination.localeCompare(b.Destination)),
    networks: Object.entries(NetworkSettings.Networks).map(([name, { Aliases }]) => [
      name,
      Aliases.filter((alias) => alias !== Hostname && `/${alias}` !== Name && !/^[0-9a-f]{12}$/.test(alias)).sort(),
    ]),
  };
}
