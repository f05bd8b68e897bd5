import { asObject, textIn } from "./descriptor.ts";

/** What a child of an index, or a configuration, is for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
  /** Of Windows images. */
  readonly osVersion: string | undefined;
}

/** undefined when it names neither, or says `unknown/unknown` as BuildKit does for what does not run. */
export function readPlatform(value: unknown): Platform | undefined {
  const object = asObject(value);
  const os = textIn(object, "os") ?? "unknown";
  const architecture = textIn(object, "architecture") ?? "unknown";
  if (os === "unknown" && architecture === "unknown") return undefined;
  return { os, architecture, variant: textIn(object, "variant"), osVersion: textIn(object, "os.version") };
}

/** `linux/arm64/v8`, `windows/amd64 10.0.17763.1`. */
export function formatPlatform({ os, architecture, variant, osVersion }: Platform): string {
  const base = variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
  return osVersion === undefined ? base : `${base} ${osVersion}`;
}
