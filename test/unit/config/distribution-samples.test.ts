import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checkDistribution } from "../../../src/config/distribution/check.ts";

/** /etc/docker/registry/config.yml of Debian's docker-registry 2.8.2+ds1. */
const DEBIAN = `
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/docker/registry
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;

/** The settings the registry:3 image starts with. */
const IMAGE_3 = `
version: 0.1
log: {level: debug, fields: {service: registry, environment: development}}
storage:
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
  tag: {concurrencylimit: 5}
http:
  addr: ":5000"
  debug: {addr: ":5001", prometheus: {enabled: true, path: /metrics}}
  headers: {X-Content-Type-Options: [nosniff]}
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
`;

/** Two replicas behind a proxy, with shared storage and cache. */
const REPLICA_2 = `
version: 0.1
log: {level: info, formatter: json, accesslog: {disabled: true}}
storage:
  s3: {region: us-east-1, bucket: images, regionendpoint: "http://minio:9000", secure: false, v4auth: true}
  redirect: {disable: true}
  cache: {blobdescriptor: redis}
  maintenance:
    uploadpurging: {enabled: false}
redis:
  addr: redis:6379
  db: 0
  dialtimeout: 10ms
  readtimeout: 10ms
  writetimeout: 10ms
  pool: {maxidle: 16, maxactive: 64, idletimeout: 300s}
http: {addr: "0.0.0.0:5000", host: "https://registry.example.com", secret: shared, draintimeout: 60s, relativeurls: false}
notifications:
  events: {includereferences: true}
  endpoints:
    - {name: audit, url: "http://audit:8080/events", headers: {Authorization: [Bearer example]}, timeout: 1s, threshold: 10, backoff: 1s}
compatibility: {schema1: {enabled: false}}
`;

describe("real configurations", () => {
  it("accepts Debian's for 2.x and for 3.x, whose keys it keeps to", () => {
    expect(checkDistribution(load(DEBIAN), 2)).toEqual([]);
    expect(checkDistribution(load(DEBIAN), 3)).toEqual([]);
  });

  it("accepts the image's for 3.x and names what 2.x lacks", () => {
    expect(checkDistribution(load(IMAGE_3), 3)).toEqual([]);
    expect(checkDistribution(load(IMAGE_3), 2)).toEqual([
      {
        path: "storage.tag",
        message: "is not a key of distribution 2.x",
        hint: "remove it, or use a 3.x image: only 3.x has it",
      },
    ]);
  });

  it("accepts a 2.x replica and names every change 3.x needs", () => {
    expect(checkDistribution(load(REPLICA_2), 2)).toEqual([]);
    expect(
      checkDistribution(load(REPLICA_2), 3)
        .map((issue) => issue.path)
        .sort(),
    ).toEqual([
      "compatibility",
      "redis.addr",
      "redis.pool",
      "storage.cache.blobdescriptor",
      "storage.s3.regionendpoint",
    ]);
  });
});
