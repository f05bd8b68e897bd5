/** The resolved configuration every other part works with. */

export type TlsMode = "own-ca" | "provided" | "none";
export type AuthMode = "htpasswd" | "none";
/** `required`: nobody gets as far as the password without a certificate; `optional`: one that is shown has to be valid. */
export type ClientAuth = "required" | "optional" | "off";

/** What `keep` says of the tags a rule decides about: one that either `newest` or `newerThan` keeps is kept. */
export interface RetentionKeep {
  /** Every one. */
  readonly all?: true;
  /** So many images of each repository; tags on the same image count once. */
  readonly newest?: number;
  /** `30d`, `12h`, `2w`. */
  readonly newerThan?: string;
  /** The date `newest` and `newerThan` go by. */
  readonly by: "push" | "build";
}

/** About tags when it has `keep`, about what no tag reaches when it has `untagged`. */
export interface RetentionRule {
  /** Globs. */
  readonly repositories: readonly string[];
  /** Globs; with `semver` beside it, a tag has to fit both. */
  readonly tags?: readonly string[];
  readonly semver?: string;
  readonly keep?: RetentionKeep;
  readonly untagged?: { readonly olderThan: string };
}

/** What `prune` removes: a tag is decided about by the first rule that has `keep` and matches; without one it is kept. */
export interface RetentionPolicy {
  /** `repository[:tag]`, globs both: never removed. */
  readonly protect: readonly string[];
  /** Nor is what containers and services of the engine use. */
  readonly protectInUse: boolean;
  readonly rules: readonly RetentionRule[];
}

export interface Config {
  readonly name: string;
  readonly domain: string;
  readonly san: readonly string[];
  readonly bind: string;
  readonly port: number;
  readonly image: string;
  /** Major version of distribution the image runs: decides the dialect and the paths. */
  readonly major: 2 | 3;
  /** Absolute path. */
  readonly data: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly tls: {
    readonly mode: TlsMode;
    readonly lifetimeDays: number;
    readonly clientAuth: ClientAuth;
    /** Absolute paths of PEM files: authorities of client certificates that regctl did not issue. */
    readonly clientAuthorities: readonly string[];
  };
  readonly auth: { readonly mode: AuthMode; readonly realm: string; readonly bcryptCost: number };
  readonly insecure: boolean;
  readonly retention: RetentionPolicy;
  /** The user's overlay of distribution's config.yml, checked. */
  readonly registry: Readonly<Record<string, unknown>>;
}

/** Where a value came from: a line of regctl.yaml, or regctl's default. */
export type Origin = { readonly kind: "file"; readonly line: number } | { readonly kind: "default" };

/** Every host name and address the certificate has to cover: the domain, loopback beside localhost, and `san`. */
export function certificateHosts(config: Pick<Config, "domain" | "san">): string[] {
  const loopback = config.domain === "localhost" ? ["127.0.0.1", "::1"] : [];
  return [config.domain, ...loopback, ...config.san];
}

/** The host part of URLs and image references: `registry.example.com:5000`; 443 is left out. */
export function hostAndPort(config: Pick<Config, "domain" | "port" | "tls">): string {
  const host = config.domain.includes(":") ? `[${config.domain}]` : config.domain;
  const standard = config.tls.mode === "none" ? 80 : 443;
  return config.port === standard ? host : `${host}:${config.port}`;
}

export function registryUrl(config: Pick<Config, "domain" | "port" | "tls">): string {
  return `${config.tls.mode === "none" ? "http" : "https"}://${hostAndPort(config)}`;
}
