/** Renewal while clients work: what they notice of it, and how long nobody is answered. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type HostAddress, hostAddress } from "../support/addresses.ts";
import { type DockerClient, dockerClient, skopeoCopy } from "../support/clients.ts";
import { deployed, keep } from "../support/e2e-deployment.ts";
import { type TinyImage, tinyImage } from "../support/e2e-image.ts";
import { trustInEngine } from "../support/engine-trust.ts";
import { eventually } from "../support/eventually.ts";
import { withHostName } from "../support/host-name.ts";
import type { ProgramResult } from "../support/run-program.ts";
import type { Scenario } from "../support/scenario.ts";
import { type Endpoint, slowUpload, watchAnswers } from "../support/slow-upload.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const NAME = "registry.renewal.test";
const RENEWALS = 3;
const TRIES = 3;
/** Nobody listens, or the engine took the connection while the registry behind it was gone. */
const NOT_ANSWERED =
  /dial tcp \S+: connect: (connection refused|no route to host)|(Get|Head|Put|Post) "[^"]+": (read tcp \S+: read: connection reset by peer|EOF)/;

describe("a renewal under way", () => {
  let registry: Scenario;
  let address: HostAddress;
  let at: string;
  let endpoint: Endpoint;
  let folder: TemporaryDirectory;
  let docker: DockerClient;
  let image: TinyImage;
  const serial = async () =>
    new X509Certificate(await readFile(join(registry.directory, "certs/domain.crt"), "utf8")).serialNumber;

  beforeAll(async () => {
    folder = keep(temporaryDirectory());
    address = keep(await hostAddress());
    registry = keep(await deployed({ flags: ["--domain", NAME, "--san", address.address] }));
    at = `${NAME}:${registry.port}`;
    keep(await withHostName(NAME, address.address));
    const authority = await readFile(registry.caFile, "utf8");
    keep(await trustInEngine(at, authority));
    endpoint = { host: address.address, port: registry.port, authority, credentials: registry.credentials };
    docker = keep(dockerClient());
    image = keep(await tinyImage());
    await image.save(join(folder.path, "image.tar"));
    expect(await docker.login(at, registry.credentials)).toMatchObject({ exitCode: 0 });
  });

  it("lets a slow upload end, which began before it, and the registry comes back with the new certificate", async () => {
    const before = await serial();
    const upload = slowUpload(endpoint, "team/slow", 6);
    await upload.underWay;
    const renewal = registry.must(["certs", "renew"]);
    expect(await upload.done).toBe(201);
    await renewal;
    expect(await serial()).not.toBe(before);
  });

  it("breaks off no push under way; docker and skopeo that meet nobody listening work when they are run again", async () => {
    let isOver = false;
    const failed: string[] = [];
    let [pushes, pulls, again] = [0, 0, 0];
    const loop = async (once: (turn: number) => Promise<void>) => {
      for (let turn = 0; !isOver; turn++) await once(turn);
    };
    const reference = (who: string, turn: number) => `${at}/team/${who}:${turn}`;
    const target = { caFile: registry.caFile, credentials: registry.credentials };
    /** A pull is tried again whatever broke it off; a push only when a new connection was not answered: none broke off one. */
    const work = async (what: string, run: () => Promise<ProgramResult>): Promise<void> => {
      await eventually(async () => {
        const result = await run();
        if (result.exitCode === 0) return true;
        again += 1;
        if (what.endsWith("push") && !NOT_ANSWERED.test(result.stderr)) failed.push(`${what}: ${result.stderr}`);
        return false;
      }, 60_000);
    };
    await docker.tag(image.reference, reference("read", 0));
    expect(await docker.push(reference("read", 0))).toMatchObject({ exitCode: 0 });
    const clients = [
      loop(async (turn) => {
        await docker.tag(image.reference, reference("docker", turn));
        await work("docker push", () => docker.push(reference("docker", turn)));
        pushes += 1;
      }),
      loop(async (turn) => {
        const to = `docker://${reference("skopeo", turn)}`;
        const options = { destination: target, retryTimes: TRIES };
        const from = `docker-archive:${folder.path}/image.tar`;
        await work("skopeo push", () => skopeoCopy(from, to, options));
        pushes += 1;
      }),
      loop(async () => {
        await work("docker pull", () => docker.pull(reference("read", 0)));
        pulls += 1;
      }),
      loop(async (turn) => {
        const to = `dir:${folder.path}/read-${turn}`;
        const options = { source: target, retryTimes: TRIES };
        await work("skopeo pull", () => skopeoCopy(`docker://${reference("read", 0)}`, to, options));
        pulls += 1;
      }),
    ];
    const watch = await watchAnswers(endpoint);
    const serials = new Set([await serial()]);
    for (let renewal = 0; renewal < RENEWALS; renewal++) {
      await registry.must(["certs", "renew"]);
      serials.add(await serial());
    }
    const gap = await watch.stop();
    isOver = true;
    await Promise.all(clients);
    expect(failed).toEqual([]);
    expect(serials.size).toBe(RENEWALS + 1);
    expect(pushes).toBeGreaterThan(RENEWALS);
    expect(pulls).toBeGreaterThan(RENEWALS);
    process.stdout.write(
      `${RENEWALS} renewals: ${pushes} pushes, ${pulls} pulls (${again} tried again), longest gap ${gap.toFixed(0)} ms\n`,
    );
  });
});
