import { formatBytes } from "../bytes.ts";
import { DEFAULT_IMAGE } from "../config/defaults.ts";
import type { Context } from "../context.ts";
import { loadDeployment } from "../operations/deployment.ts";
import { listImages, loadImages, saveImages } from "../operations/images.ts";
import { locateAnyDeployment } from "../operations/locate.ts";
import { buildRegistryImage, pullImage } from "../operations/obtain-image.ts";
import { renderTable } from "../terminal/table.ts";

/** The deployment's image, or the default one outside of any deployment. */
async function imageMeant(context: Context, reference: string | undefined): Promise<string> {
  if (reference !== undefined) return reference;
  const directory = await locateAnyDeployment(context, context.options.dir);
  return directory === undefined ? DEFAULT_IMAGE : (await loadDeployment(directory)).config.image;
}

export async function imagesList(context: Context): Promise<void> {
  const images = await listImages(context);
  const rows = images.map((image) => [
    image.reference,
    image.id.slice(7, 19),
    formatBytes(image.sizeBytes),
    image.usedBy.join(", "),
  ]);
  const text =
    rows.length === 0
      ? "no registry image on this engine; `regctl images pull` or `regctl images build` gets one"
      : renderTable(["IMAGE", "ID", "SIZE", "USED BY"], rows);
  context.output.result("images", { images }, text, images.map(({ reference }) => reference).join("\n"));
}

export async function imagesPull(context: Context, reference: string | undefined): Promise<void> {
  const image = await imageMeant(context, reference);
  await pullImage(context, await context.engine(), image);
  context.output.result("images-pull", { image }, `pulled ${image}`, image);
}

export async function imagesBuild(context: Context): Promise<void> {
  const image = await buildRegistryImage(context, await context.engine());
  context.output.result(
    "images-build",
    { image },
    `made ${image}; set image: ${image} in regctl.yaml to use it`,
    image,
  );
}

export async function imagesSave(
  context: Context,
  references: readonly string[],
  flags: { readonly output: string },
): Promise<void> {
  const wanted = references.length === 0 ? [await imageMeant(context, undefined)] : references;
  const saved = await saveImages(context, wanted, context.absolute(flags.output));
  context.output.result(
    "images-save",
    saved,
    `saved ${wanted.join(", ")}\nCopy both files: ${saved.file} and ${saved.checksumFile}\nThere: regctl images load ${flags.output}`,
    saved.file,
  );
}

export async function imagesLoad(context: Context, file: string): Promise<void> {
  const images = await loadImages(context, context.absolute(file));
  context.output.result("images-load", { images }, `loaded ${images.join(", ")}`, images.join("\n"));
}
