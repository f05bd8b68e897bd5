import { Readable } from "node:stream";
import type Docker from "dockerode";
import { RegctlError } from "../errors.ts";
import type { Images, ObservedImage, RegistryCredentials } from "./engine.ts";
import { statusOf, translateFailure, translatePullFailure } from "./errors.ts";
import { containerImages, serviceImages } from "./images-in-use.ts";
import { trackPull } from "./pull-progress.ts";
import { abortable, createOptions, getJson, getStream } from "./requests.ts";
import { jsonLines } from "./streams.ts";
import { toObservedImage } from "./translate.ts";

/** The images of the engine behind this dockerode client. */
export function dockerImages(docker: Docker): Images {
  const images: Images = {
    async inspect(reference, { signal } = {}) {
      try {
        return toObservedImage(await getJson(docker, `/images/${toPath(reference)}/json`, signal));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw translateFailure(error, { doing: `inspect image ${reference}`, signal });
      }
    },

    async list({ signal } = {}) {
      try {
        const found = await docker.listImages(abortable(signal));
        const tagged = found.filter((image) => (image.RepoTags ?? []).some((tag) => tag !== "<none>:<none>"));
        const inspected = await Promise.all(tagged.map((image) => images.inspect(image.Id, { signal })));
        return inspected.filter((image): image is ObservedImage => image !== undefined);
      } catch (error) {
        throw translateFailure(error, { doing: "list images", signal });
      }
    },

    async inUse({ signal } = {}) {
      const [ofContainers, ofServices] = await Promise.all([
        containerImages(docker, images, signal),
        serviceImages(docker, signal),
      ]);
      return [...ofContainers, ...ofServices];
    },

    async pull(reference, { signal, credentials, onProgress } = {}) {
      const options = createOptions(splitReference(reference), {}, signal);
      try {
        const stream = await docker.createImage(credentials && toAuthConfig(credentials), options);
        const track = trackPull();
        for await (const record of jsonLines(stream as Readable)) onProgress?.(track(record));
      } catch (error) {
        throw translatePullFailure(error, reference, signal);
      }
    },

    async load(archive, { signal } = {}) {
      const source = Readable.from(archive, { objectMode: false });
      let sourceError: unknown;
      source.on("error", (error) => {
        sourceError = error;
      });
      try {
        const stream = await docker.loadImage(source, { quiet: true, ...abortable(signal) });
        const loaded: string[] = [];
        for await (const record of jsonLines(stream as Readable)) loaded.push(...loadedImages(record.stream ?? ""));
        if (loaded.length === 0) throw new Error("the archive holds no image");
        return loaded;
      } catch (error) {
        if (sourceError !== undefined && !signal?.aborted) throw sourceError;
        throw loadFailure(error, signal);
      } finally {
        source.destroy();
      }
    },

    async *save(references, { signal } = {}) {
      const doing = `save ${references.join(", ")}`;
      for (const reference of references) {
        if ((await images.inspect(reference, { signal })) !== undefined) continue;
        throw new RegctlError("not-found", `cannot ${doing}: there is no image ${reference} on the engine`, {
          hint: "see which there are: regctl images list",
          details: { reference },
        });
      }
      try {
        yield* await getStream(docker, "/images/get", { names: [...references] }, signal);
      } catch (error) {
        throw translateFailure(error, { doing, signal });
      }
    },
  };
  return images;
}

function toPath(reference: string): string {
  return reference.split("/").map(encodeURIComponent).join("/");
}

/** Without a tag the engine would pull every tag of the repository. */
function splitReference(reference: string): { fromImage: string; tag: string } {
  const at = reference.indexOf("@");
  const name = at < 0 ? reference : reference.slice(0, at);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const repository = hasTag ? name.slice(0, colon) : name;
  if (at >= 0) return { fromImage: repository, tag: reference.slice(at + 1) };
  return { fromImage: repository, tag: hasTag ? name.slice(colon + 1) : "latest" };
}

function toAuthConfig(credentials: RegistryCredentials): object {
  const secret = credentials.password.reveal();
  const { serverAddress: serveraddress, username } = credentials;
  return credentials.isIdentityToken
    ? { identitytoken: secret, serveraddress }
    : { username, password: secret, serveraddress };
}

/** The engine names what it loaded in prose only. */
function loadedImages(text: string): string[] {
  return [...text.matchAll(/^Loaded image(?: ID)?: (\S+)$/gm)].map((match) => match[1] ?? "");
}

function loadFailure(error: unknown, signal: AbortSignal | undefined): RegctlError {
  const failure = translateFailure(error, { doing: "load the image archive", signal });
  if (failure.code !== "engine-failed") return failure;
  return new RegctlError("engine-failed", failure.message, {
    hint: "give a complete archive made by `regctl images save` or `docker save`",
    cause: error,
  });
}
