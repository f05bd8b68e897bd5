/** What an image's configuration says (OCI image specification, "Image Configuration"), for display. */
import { RegctlError } from "../errors.ts";
import { asObject, listIn, textIn, textsIn } from "./descriptor.ts";
import { type Platform, readPlatform } from "./platform.ts";

export interface ConfigDescription {
  readonly platform: Platform | undefined;
  /** RFC 3339 as written; undefined when it is missing or no date. */
  readonly created: string | undefined;
  readonly author: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  /** `8080/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly stopSignal: string | undefined;
  /** From the oldest on. */
  readonly history: readonly { readonly createdBy: string; readonly isEmptyLayer: boolean }[];
}

/** Throws `registry-failed`, reason `corrupt`, when it is no JSON object; what is of another type counts as missing. */
export function describeConfig(bytes: Uint8Array): ConfigDescription {
  const object = parseConfig(bytes);
  const run = asObject(object.config);
  const created = textIn(object, "created");
  return {
    platform: readPlatform(object),
    created: created === undefined || Number.isNaN(Date.parse(created)) ? undefined : created,
    author: textIn(object, "author"),
    labels: textsIn(run.Labels),
    environment: texts(run.Env),
    entrypoint: texts(run.Entrypoint),
    command: texts(run.Cmd),
    user: textIn(run, "User"),
    workingDirectory: textIn(run, "WorkingDir"),
    exposedPorts: Object.keys(asObject(run.ExposedPorts)),
    volumes: Object.keys(asObject(run.Volumes)),
    stopSignal: textIn(run, "StopSignal"),
    history: (Array.isArray(object.history) ? listIn(object.history, "history") : []).map((value) => ({
      createdBy: textIn(asObject(value), "created_by") ?? "",
      isEmptyLayer: asObject(value).empty_layer === true,
    })),
  };
}

function parseConfig(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error("it is no object");
  } catch (error) {
    throw new RegctlError("registry-failed", `this is no image configuration: ${(error as Error).message}`, {
      hint: "look for what is damaged: `regctl fsck`",
      details: { reason: "corrupt" },
      cause: error,
    });
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
