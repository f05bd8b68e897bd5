/** What is attached to an image: signatures, attestations, bills of material; recognised by media type or by tag. */

export type Purpose = "signature" | "attestation" | "provenance" | "sbom" | "chart" | "other";

const PREDICATES: readonly (readonly [RegExp, Purpose])[] = [
  [/^https?:\/\/(spdx\.dev|cyclonedx\.org)\//, "sbom"],
  [/^https?:\/\/slsa\.dev\/provenance/, "provenance"],
];
const MEDIA_TYPES: readonly (readonly [RegExp, Purpose])[] = [
  [/^application\/vnd\.dev\.cosign\.(simplesigning|artifact\.sig)/, "signature"],
  [/^application\/vnd\.(cncf\.notary|dev\.sigstore\.sign)/, "signature"],
  [/^application\/vnd\.dev\.cosign\.artifact\.sbom/, "sbom"],
  [/(^|[./+])(spdx|cyclonedx|syft)([.+/-]|$)/, "sbom"],
  [/^application\/vnd\.(in-toto|dsse|dev\.cosign\.attestation|dev\.sigstore\.bundle)/, "attestation"],
  [/^application\/vnd\.cncf\.helm\./, "chart"],
];

/** in-toto's predicate type as BuildKit and cosign annotate layers, and sigstore manifests, with it. */
const PREDICATE_ANNOTATIONS = ["in-toto.io/predicate-type", "predicateType", "dev.sigstore.bundle.predicateType"];

export interface Typed {
  readonly mediaType: string;
  readonly artifactType?: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What the parts say they are for: a predicate type before a media type, the first part that says something first. */
export function purposeOf(parts: readonly Typed[]): Purpose | undefined {
  for (const { annotations } of parts) {
    for (const key of PREDICATE_ANNOTATIONS) {
      const predicate = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
      const known = predicate === undefined ? undefined : PREDICATES.find(([pattern]) => pattern.test(predicate));
      if (known !== undefined) return known[1];
      if (predicate !== undefined) return predicate.includes("cosign.sigstore.dev") ? "signature" : "attestation";
    }
  }
  for (const { artifactType = "", mediaType } of parts) {
    for (const type of [artifactType, mediaType]) {
      const known = MEDIA_TYPES.find(([pattern]) => pattern.test(type));
      if (known !== undefined) return known[1];
    }
  }
  return undefined;
}

export interface AttachmentTag {
  /** `sha256:…` of what it is attached to. */
  readonly subject: string;
  /** `referrers` is the index that stands in for the referrers API; the others are cosign's. */
  readonly kind: "referrers" | "signature" | "attestation" | "sbom";
}

const SUFFIXES = { "": "referrers", ".sig": "signature", ".att": "attestation", ".sbom": "sbom" } as const;

/** Reads `sha256-<hex>` (OCI distribution specification, "Referrers Tag Schema") with cosign's .sig, .att and .sbom. */
export function parseAttachmentTag(tag: string): AttachmentTag | undefined {
  const [, hex, suffix = ""] = /^sha256-([a-f0-9]{64})(\.sig|\.att|\.sbom)?$/.exec(tag) ?? [];
  if (hex === undefined) return undefined;
  return { subject: `sha256:${hex}`, kind: SUFFIXES[suffix as keyof typeof SUFFIXES] };
}

/** The tag whose index lists what refers to a digest: algorithm and digits are cut at 32 and 64 characters. */
export function referrersTag(digest: string): string {
  const [algorithm = "", encoded = ""] = digest.split(":");
  return `${algorithm.slice(0, 32)}-${encoded.slice(0, 64)}`;
}

/** All tags under which something may be attached to a digest. */
export function attachmentTags(digest: string): string[] {
  const whole = digest.replace(":", "-");
  return [
    referrersTag(digest),
    ...[".sig", ".att", ".sbom"].map((suffix) => whole + suffix).filter((tag) => tag.length <= 128),
  ];
}
