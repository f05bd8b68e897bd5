/** The text of `inspect`. Everything in it was written by whoever pushed: it is shown on one line, without control characters. */
import { formatBytes } from "../bytes.ts";
import type { ImageFacts } from "../operations/image-facts.ts";
import type { Inspected, InspectedChild } from "../operations/inspect.ts";
import { shownName, shownText } from "../shown-name.ts";
import { renderFacts } from "../terminal/table.ts";

type Fact = readonly [string, string];

const SHORT = "sha256:".length + 12;
const SHOWN_LAYERS = 40;

/** As a shell would need it. */
const words = (list: readonly string[]): string =>
  list.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : shownText(JSON.stringify(word)))).join(" ");

function given(name: string, text: string | undefined): Fact[] {
  return text === undefined || text === "" ? [] : [[name, shownText(text)]];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${shownText(line)}`)];
}

function pairs(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([key, value]) => `${key}=${value}`);
}

function headOf(inspected: Inspected): Fact[] {
  const { repository, found, facts, tags, sizeBytes, parents } = inspected;
  const manifest = facts?.manifest;
  const config = facts?.config;
  return [
    ["Repository", repository],
    ...given("Digest", found.digest),
    ...given("Tags", tags.map(shownName).join(", ") || "none"),
    ...given("Kind", manifest?.purpose === undefined ? manifest?.kind : `${manifest.kind} (${manifest.purpose})`),
    ...given("Media type", manifest?.mediaType),
    ...given("Artifact type", manifest?.artifactType),
    ...given("Platforms", facts?.platforms.join(", ")),
    ...given("Size", sizeBytes === undefined ? undefined : formatBytes(sizeBytes)),
    ...given("Pushed", found.pushedMs === undefined ? undefined : new Date(found.pushedMs).toISOString()),
    ...given("Built", facts?.created),
    ...given("Attached to", manifest?.subject?.digest),
    ...given("Part of", parents.join(", ")),
    ...given("Author", config?.author),
    ...given("Entrypoint", words(config?.entrypoint ?? [])),
    ...given("Command", words(config?.command ?? [])),
    ...given("User", config?.user),
    ...given("Directory", config?.workingDirectory),
    ...given("Ports", config?.exposedPorts.join(", ")),
    ...given("Volumes", config?.volumes.join(", ")),
  ];
}

function childLine({ child, platform, facts }: InspectedChild): string {
  const what = platform ?? child.purpose ?? facts?.manifest.kind ?? "manifest";
  const of = child.attests === undefined ? "" : ` of ${child.attests.slice(0, SHORT)}`;
  return `${child.digest}  ${what}${of}`;
}

function layerLines({ manifest }: ImageFacts): string[] {
  const lines = manifest.layers.map(({ digest, sizeBytes, mediaType }) => {
    const size = sizeBytes === undefined ? "" : formatBytes(sizeBytes).padStart(9);
    return `${digest} ${size}  ${mediaType}`;
  });
  const rest = lines.length - SHOWN_LAYERS;
  return rest > 0 ? [...lines.slice(0, SHOWN_LAYERS), `… and ${rest} more`] : lines;
}

export function renderImage(inspected: Inspected): string {
  const { facts, children, referrers, missing, problem } = inspected;
  const attached = referrers.map(({ digest, purpose, artifactType, by, tag }) => {
    const how = tag === undefined ? by : `${by} ${shownName(tag)}`;
    return `${digest}  ${purpose ?? artifactType ?? "other"} (by ${how})`;
  });
  return [
    renderFacts(headOf(inspected)),
    ...section("Manifests", children.map(childLine)),
    ...section("Layers", facts === undefined ? [] : layerLines(facts)),
    ...section("Labels", pairs(facts?.config?.labels ?? {})),
    ...section("Environment", facts?.config?.environment ?? []),
    ...section("Annotations", pairs(facts?.manifest.annotations ?? {})),
    ...section("Attached", attached),
    ...section(
      "Missing",
      missing.map(({ what, digest, why }) => `${what} ${digest}: ${why}`),
    ),
    ...section("Broken", problem === undefined ? [] : [problem]),
  ].join("\n");
}
