import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checkDistribution } from "../../../src/config/distribution/check.ts";

type Case = readonly [major: 2 | 3, yaml: string, path: string, message: string, hint?: string];

/** Keys a major does not have, which it ignores in silence, and what to write instead. */
const KEYS: readonly Case[] = [
  [2, "loglevel: debug", "loglevel", "is not a key of distribution 2.x", "write log.level"],
  [3, "redis: {addr: 'r:1'}", "redis.addr", "is not a key of distribution 3.x", 'write redis.addrs: ["host:port"]'],
  [
    3,
    "redis: {addrs: ['r:1'], pool: {maxidle: 1}}",
    "redis.pool",
    "is not a key of distribution 3.x",
    "redis.maxidleconns",
  ],
  [3, "redis: {tls: {enabled: true}}", "redis.tls.enabled", "is not a key of distribution 3.x", "remove it"],
  [2, "redis: {addrs: ['r:1']}", "redis.addrs", "is not a key of distribution 2.x", "write redis.addr: host:port"],
  [2, "redis: {username: a}", "redis.username", "is not a key of distribution 2.x", "a password alone"],
  [2, "redis: {poolsize: 3}", "redis.poolsize", "is not a key of distribution 2.x", "write redis.pool.maxactive"],
  [3, "redis: {addrs: [redis]}", "redis.addrs[0]", "should be host:port"],
  [3, "redis: {tls: {key: /k}}", "redis.tls.certificate", "certificate and key go together"],
  [3, "storage: {oss: {bucket: b}}", "storage.oss", "is not a key of distribution 3.x", "no oss driver"],
  [3, "storage: {swift: {container: b}}", "storage.swift", "is not a key of distribution 3.x", "no swift driver"],
  [
    2,
    "storage: {swift: {username: u, password: p, authurl: a, container: c, rootdirectory: r}}",
    "storage.swift.rootdirectory",
    "is not a key of distribution 2.x",
    "storage.swift.prefix",
  ],
  [3, "compatibility: {schema1: {enabled: true}}", "compatibility", "is not a key of distribution 3.x", "schema 1"],
  [3, "reporting: {newrelic: {}}", "reporting", "is not a key of distribution 3.x", "remove it"],
  [2, "log: {reportcaller: true}", "log.reportcaller", "is not a key of distribution 2.x", "use a 3.x image"],
  [2, "http: {h2c: {enabled: true}}", "http.h2c", "is not a key of distribution 2.x", "only 3.x has it"],
  [
    2,
    "http: {tls: {clientauth: request-client-cert}}",
    "http.tls.clientauth",
    "is not a key of distribution 2.x",
    "always requires and verifies",
  ],
  [2, "proxy: {remoteurl: 'https://a.b', ttl: 1h}", "proxy.ttl", "is not a key of distribution 2.x", "168h"],
  [
    3,
    "proxy: {remoteurl: 'https://a.b', cacheTTL: 1h}",
    "proxy.cacheTTL",
    "is not a key of distribution 3.x",
    "write proxy.ttl",
  ],
  [2, "tags: {maxtags: 5}", "tags", "is not a key of distribution 2.x", "only 3.x has it"],
  [
    2,
    "storage: {cache: {layerinfo: inmemory}}",
    "storage.cache.layerinfo",
    "is not a key of distribution 2.x",
    "blobdescriptor",
  ],
  [
    2,
    "storage: {s3: {region: r, bucket: b, forcepathstyle: true}}",
    "storage.s3.forcepathstyle",
    "is not a key of distribution 2.x",
    "always uses path style",
  ],
  [3, "http: {letsencrypt: {}}", "http.letsencrypt", "is not a key of distribution 3.x", "write http.tls.letsencrypt"],
  [
    3,
    "http: {minimumtls: tls1.2}",
    "http.minimumtls",
    "is not a key of distribution 3.x",
    "it belongs at http.tls.minimumtls",
  ],
  [3, "http: {hedaers: {}}", "http.hedaers", "is not a key of distribution 3.x", "did you mean headers?"],
  [3, "Log: {}", "Log", "is not a key of distribution 3.x", "did you mean log?"],
  [3, "log.level: debug", '["log.level"]', "is not a key of distribution 3.x", "write nested keys: log, in it level"],
  [3, "validation: {enabled: true}", "validation.enabled", "is not a key of distribution 3.x", "validation.disabled"],
];

describe("unknown keys", () => {
  it.each(KEYS.map((row) => ({ row })))("$row.0.x $row.1", ({ row: [major, yaml, path, message, hint = ""] }) => {
    const issue = checkDistribution(load(yaml), major).find((candidate) => candidate.path === path);
    expect(issue?.message).toContain(message);
    expect(issue?.hint ?? "").toContain(hint);
  });
});
