import type { DistributionMajor } from "./major.ts";

/** A key people write that this major does not have, and what to write instead. */
interface Replacement {
  /** Dotted, lists as `[]`. */
  readonly key: string;
  readonly majors: readonly DistributionMajor[];
  readonly hint: string;
}

const BOTH = [2, 3] as const;

const REPLACEMENTS: readonly Replacement[] = [
  { key: "loglevel", majors: BOTH, hint: "write log.level" },
  { key: "level", majors: BOTH, hint: "write log.level" },
  { key: "readonly", majors: BOTH, hint: "write storage.maintenance.readonly: {enabled: true}" },
  { key: "storage.readonly", majors: BOTH, hint: "write storage.maintenance.readonly: {enabled: true}" },
  { key: "storage.uploadpurging", majors: BOTH, hint: "write storage.maintenance.uploadpurging" },
  { key: "storage.cache.layerinfo", majors: BOTH, hint: "write storage.cache.blobdescriptor" },
  { key: "storage.s3aws", majors: BOTH, hint: "write storage.s3" },
  { key: "validation.enabled", majors: BOTH, hint: "remove it: checks are on unless validation.disabled is true" },
  { key: "http.letsencrypt", majors: [2], hint: "remove it: 2.x speaks only ACMEv1, which no server answers any more" },
  { key: "http.letsencrypt", majors: [3], hint: "write http.tls.letsencrypt" },
  { key: "http.certificate", majors: BOTH, hint: "write http.tls.certificate" },
  { key: "http.key", majors: BOTH, hint: "write http.tls.key" },
  { key: "tls", majors: BOTH, hint: "write http.tls" },
  { key: "middleware.storage[].options.updatefrenquency", majors: BOTH, hint: "write updatefrequency" },

  { key: "redis.addr", majors: [3], hint: 'write redis.addrs: ["host:port"]' },
  {
    key: "redis.pool",
    majors: [3],
    hint: "write redis.maxidleconns for pool.maxidle, redis.maxactiveconns for pool.maxactive, redis.connmaxidletime for pool.idletimeout",
  },
  {
    key: "redis.tls.enabled",
    majors: [3],
    hint: "remove it: redis.tls.certificate with key, from 3.1 also redis.tls.rootcas alone, turns TLS on",
  },
  {
    key: "storage.oss",
    majors: [3],
    hint: "3.x has no oss driver: use storage.s3 with the S3 endpoint of OSS as regionendpoint, or a 2.x image",
  },
  {
    key: "storage.swift",
    majors: [3],
    hint: "3.x has no swift driver: use storage.s3 with Swift's S3 gateway as regionendpoint, or a 2.x image",
  },
  { key: "reporting", majors: [3], hint: "remove it: 3.x reports over OpenTelemetry, set by OTEL_* variables" },
  {
    key: "compatibility",
    majors: [3],
    hint: "remove it: 3.x cannot serve schema 1 manifests; push those images again with a current client first",
  },
  { key: "proxy.cacheTTL", majors: [3], hint: "write proxy.ttl" },

  { key: "redis.addrs", majors: [2], hint: "write redis.addr: host:port; 2.x knows one server" },
  { key: "redis.username", majors: [2], hint: "remove it: 2.x logs in to redis with a password alone" },
  { key: "redis.tls", majors: [2], hint: "remove it: 2.x does not speak TLS to redis; use a 3.x image or a tunnel" },
  { key: "redis.poolsize", majors: [2], hint: "write redis.pool.maxactive" },
  { key: "redis.maxactiveconns", majors: [2], hint: "write redis.pool.maxactive" },
  { key: "redis.maxidleconns", majors: [2], hint: "write redis.pool.maxidle" },
  { key: "redis.connmaxidletime", majors: [2], hint: "write redis.pool.idletimeout" },
  {
    key: "http.tls.clientauth",
    majors: [2],
    hint: "remove it: with clientcas 2.x always requires and verifies a client certificate; other modes need a 3.x image",
  },
  { key: "proxy.ttl", majors: [2], hint: "remove it: 2.x always keeps cached content 168h; use a 3.x image to choose" },
  { key: "proxy.cacheTTL", majors: [2], hint: "remove it: 2.x always keeps cached content 168h" },
  {
    key: "storage.s3.forcepathstyle",
    majors: [2],
    hint: "remove it: 2.x always uses path style with a regionendpoint",
  },
  { key: "storage.azure.credentials", majors: [2], hint: "write storage.azure.accountkey; other credentials need 3.x" },
  { key: "storage.swift.rootdirectory", majors: [2], hint: "write storage.swift.prefix" },
  { key: "auth.token.jwks", majors: [2], hint: "write auth.token.rootcertbundle; 2.x reads no JWKS" },
];

/** What to write instead of an unknown key (dotted, lists as `[]`); undefined when nothing is known of it. */
export function replacementFor(key: string, major: DistributionMajor): string | undefined {
  return REPLACEMENTS.find((entry) => entry.key === key && entry.majors.includes(major))?.hint;
}
