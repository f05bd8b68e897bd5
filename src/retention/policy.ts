/** What a retention policy is asked about and answers; the policy itself is part of the configuration. */
import type { RetentionPolicy } from "../config/config.ts";
import { compilePolicy } from "./compiled-policy.ts";

/** Times are milliseconds since 1970; undefined = not known. */
export interface TagFacts {
  readonly tag: string;
  readonly digest: string;
  readonly pushed?: number | undefined;
  /** `created` of the image's configuration; needed where `needsBuildDates` says so. */
  readonly built?: number | undefined;
  /** Digests an index lists; undefined = not read. */
  readonly children?: readonly string[] | undefined;
}

/** A manifest that no tag reaches, neither itself nor through an index. */
export interface UntaggedFacts {
  readonly digest: string;
  readonly pushed?: number | undefined;
  readonly children?: readonly string[] | undefined;
  /** What a referrer (signature, SBOM) refers to. */
  readonly subject?: string | undefined;
}

export interface Verdict {
  /** Undefined for what no tag reaches. */
  readonly tag: string | undefined;
  readonly digest: string;
  readonly keep: boolean;
  /** `index` counts from 1, as in `because`; undefined when no rule decided. */
  readonly rule: { readonly index: number; readonly description: string } | undefined;
  /** `rule 1 (team/*): older than the 10 newest by push`. */
  readonly because: string;
}

/** Who uses it (`container web`), or undefined; without a tag the digest alone counts. */
export type InUse = (repository: string, tag: string | undefined, digest: string) => string | undefined;

/** Whether a rule about this repository's tags goes by the date images were built, which costs reading their configurations. */
export function needsBuildDates(policy: RetentionPolicy, repository: string): boolean {
  return compilePolicy(policy).rules.some(
    (rule) => rule.keep?.by === "build" && rule.keep.all !== true && rule.repository(repository),
  );
}

/** Whether a rule decides about what no tag of this repository reaches, which costs reading every manifest. */
export function needsUntagged(policy: RetentionPolicy, repository: string): boolean {
  const { rules, protections } = compilePolicy(policy);
  const isProtected = protections.some(
    (protection) => protection.tag === undefined && protection.repository(repository),
  );
  return !isProtected && rules.some((rule) => rule.untagged !== undefined && rule.repository(repository));
}
