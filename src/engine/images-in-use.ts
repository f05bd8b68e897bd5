/** Which images containers and services need. */
import type Docker from "dockerode";
import { RegctlError } from "../errors.ts";
import type { Images, ImageUse } from "./engine.ts";
import { engineTextOf, statusOf, translateFailure } from "./errors.ts";
import { abortable, getJson } from "./requests.ts";

/** Of every container, whatever its state. */
export async function containerImages(
  docker: Docker,
  images: Pick<Images, "inspect">,
  signal: AbortSignal | undefined,
): Promise<ImageUse[]> {
  try {
    const containers = await docker.listContainers({ all: true, ...abortable(signal) });
    const ids = [...new Set(containers.map(({ ImageID }) => ImageID))];
    const found = await Promise.all(ids.map((id) => images.inspect(id, { signal })));
    const repoDigests = new Map(ids.map((id, index) => [id, found[index]?.repoDigests ?? []]));
    return await Promise.all(
      containers.map(async ({ Id, Names, Image, ImageID }) => ({
        by: `container ${Names?.[0]?.replace(/^\//, "") ?? Id.slice(0, 12)}`,
        // Once the tag is on another image the list has the id instead.
        image: Image === ImageID ? ((await imageAsWritten(docker, Id, signal)) ?? Image) : Image,
        repoDigests: repoDigests.get(ImageID) ?? [],
      })),
    );
  } catch (error) {
    throw translateFailure(error, { doing: "list the images containers use", signal });
  }
}

/** Undefined when the container is gone by now. */
async function imageAsWritten(
  docker: Docker,
  id: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    return (await docker.getContainer(id).inspect(abortable(signal))).Config.Image;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

interface ServiceSpec {
  readonly Name?: string;
  readonly TaskTemplate?: { readonly ContainerSpec?: { readonly Image?: string } };
}

type Services = readonly { readonly Spec?: ServiceSpec; readonly PreviousSpec?: ServiceSpec }[];

/** Of every service; none where the engine manages no Swarm. */
export async function serviceImages(docker: Docker, signal: AbortSignal | undefined): Promise<ImageUse[]> {
  try {
    const services = await getJson<Services>(docker, "/services", signal);
    return services.flatMap(({ Spec, PreviousSpec }) => {
      const specs = [Spec, PreviousSpec].map((spec) => spec?.TaskTemplate?.ContainerSpec?.Image);
      const used = [...new Set(specs.filter((image) => image !== undefined))];
      return used.map((image) => ({ by: `service ${Spec?.Name ?? ""}`, image, repoDigests: [] }));
    });
  } catch (error) {
    // Podman has no services.
    if (statusOf(error) === 404) return [];
    if (statusOf(error) === 503 && !signal?.aborted) {
      if (await managesNoSwarm(docker, signal)) return [];
      throw new RegctlError("engine-failed", `cannot list the images services use: ${engineTextOf(error)}`, {
        hint: "see what holds the Swarm up: docker info; a locked one opens with `docker swarm unlock`",
        cause: error,
      });
    }
    throw translateFailure(error, { doing: "list the images services use", signal });
  }
}

/** The engine refuses with one status whether it is in no Swarm, a worker, or a manager that is locked or without quorum. */
async function managesNoSwarm(docker: Docker, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const { Swarm } = await getJson<{ Swarm?: { LocalNodeState?: string; ControlAvailable?: boolean } }>(
      docker,
      "/info",
      signal,
    );
    const state = Swarm?.LocalNodeState ?? "";
    return ["", "inactive"].includes(state) || (state === "active" && Swarm?.ControlAvailable !== true);
  } catch (error) {
    throw translateFailure(error, { doing: "see whether the engine is part of a Swarm", signal });
  }
}
