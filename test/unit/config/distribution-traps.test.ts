import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checkDistribution } from "../../../src/config/distribution/check.ts";

type Case = readonly [major: 2 | 3, yaml: string, path: string, message: string, hint?: string];

/** Values and combinations the registry refuses to start with, ignores in silence or breaks on later. */
const TRAPS: readonly Case[] = [
  [
    2,
    "storage: {maintenance: {readonly: true}}",
    "storage.maintenance.readonly",
    "should be a map of keys",
    "write readonly: {enabled: true}",
  ],
  [
    2,
    "storage: {maintenance: {uploadpurging: {age: 1h}}}",
    "storage.maintenance.uploadpurging",
    "needs interval, dryrun too",
    "{enabled: false}",
  ],
  [
    3,
    "storage: {maintenance: {uploadpurging: {age: 3600, interval: 1h, dryrun: false}}}",
    "storage.maintenance.uploadpurging.age",
    "should be a duration",
  ],
  [3, "storage: {delete: {enabled: 'true'}}", "storage.delete.enabled", "should be true or false", "remove the quotes"],
  [3, "storage: {filesystem: {}, s3: {region: r, bucket: b}}", "storage", "names 2 drivers (filesystem, s3)"],
  [3, "storage: inmemory", "storage", "should be a map of keys", "write storage: {inmemory: {}}"],
  [3, "storage: {s3: {region: r}}", "storage.s3.bucket", "is required by the s3 driver"],
  [
    3,
    "storage: {s3: {region: r, bucket: b, regionendpoint: 'https://m'}}",
    "storage.s3.regionendpoint",
    "needs forcepathstyle",
    "forcepathstyle: true",
  ],
  [
    3,
    "storage: {azure: {accountname: a, accountkey: k, container: c}}",
    "storage.azure.credentials.type",
    "is required by 3.x",
    "{type: shared_key}",
  ],
  [
    3,
    "storage: {azure: {accountname: a, container: c, credentials: {type: shared_key}}}",
    "storage.azure.accountkey",
    "is required by credentials of type shared_key",
  ],
  [
    3,
    "storage: {azure: {accountname: a, container: c, credentials: {type: client_secret, clientid: i, tenantid: t}}}",
    "storage.azure.credentials.secret",
    "is required by credentials of type client_secret",
  ],
  [
    2,
    "storage: {azure: {accountname: a, container: c}}",
    "storage.azure.accountkey",
    "is required by the azure driver",
  ],
  [3, "storage: {gcs: {bucket: b, chunksize: 300000}}", "storage.gcs.chunksize", "should be a multiple of 262144"],
  [
    2,
    "storage: {cache: {blobdescriptor: redis}}",
    "storage.cache.blobdescriptor",
    "needs redis.addr",
    "add redis.addr",
  ],
  [
    3,
    "storage: {cache: {blobdescriptor: redis}}",
    "storage.cache.blobdescriptor",
    "needs redis.addrs",
    "add redis.addrs",
  ],
  [
    3,
    "storage: {cache: {blobdescriptor: redis, blobdescriptorsize: 5}}\nredis: {addrs: ['r:1']}",
    "storage.cache.blobdescriptorsize",
    "inmemory cache only",
  ],

  [3, "http: {tls: {clientauth: request-client-cert}}", "http.tls.clientauth", "is ignored without http.tls.clientcas"],
  [
    3,
    "http: {tls: {clientauth: yes-please, clientcas: [/ca]}}",
    "http.tls.clientauth",
    "should be request-client-cert",
  ],
  [
    3,
    "http: {tls: {minimumtls: tls1.1}}",
    "http.tls.minimumtls",
    "3.x does not start with an older one",
    "write tls1.2",
  ],
  [2, "http: {tls: {minimumtls: TLS1.2}}", "http.tls.minimumtls", "should be tls1.2"],
  [
    3,
    "http: {tls: {minimumtls: tls1.3, ciphersuites: [TLS_AES_128_GCM_SHA256]}}",
    "http.tls.ciphersuites",
    "is ignored with minimumtls tls1.3",
  ],
  [
    2,
    "http: {tls: {ciphersuites: [ECDHE-RSA-AES128-GCM-SHA256]}}",
    "http.tls.ciphersuites[0]",
    "one of the 25 allowed values",
  ],
  [2, "http: {tls: {certificate: /c}}", "http.tls.key", "certificate and key go together"],
  [2, "http: {tls: {letsencrypt: {email: a}}}", "http.tls.letsencrypt", "cannot work on 2.x"],
  [3, "http: {tls: {letsencrypt: {cachefile: /a}}}", "http.tls.letsencrypt.hosts", "is required"],
  [
    3,
    "http: {tls: {certificate: /c, key: /k, letsencrypt: {cachefile: /a, hosts: [b]}}}",
    "http.tls.letsencrypt",
    "exclude each other",
  ],
  [
    3,
    "http: {headers: {X-Frame-Options: DENY}}",
    "http.headers.X-Frame-Options",
    "should be a list of texts",
    "write it as a list",
  ],
  [3, "http: {host: registry.example.com}", "http.host", "should be a full URL"],
  [3, "http: {prefix: reg}", "http.prefix", "begins and ends with /"],
  [3, "http: {draintimeout: 30}", "http.draintimeout", "a bare number is nanoseconds"],
  [3, "http: {draintimeout: 30 s}", "http.draintimeout", "should be a duration"],
  [3, "log: {level: trace}", "log.level", "should be error, warn, info or debug"],
  [3, "log: {level: INFO}", "log.level", "should be error, warn, info or debug", "did you mean info?"],
  [3, "log:", "log", "should be a map of keys", "give it a value, or remove the key"],

  [3, "auth: {htpasswd: {realm: 123}}", "auth.htpasswd.realm", "should be text", "put it in quotes"],
  [3, "auth: {htpasswd: {}, token: {}}", "auth", "names 2 kinds (htpasswd, token)", "keep exactly one"],
  [3, "auth: none", "auth", "should be a map of keys", "write auth: {none: {}}"],
  [3, "auth: {token: {signingalgorithms: [none]}}", "auth.token.signingalgorithms[0]", "one of the 13 allowed values"],
  [3, "proxy: {remoteurl: registry-1.docker.io}", "proxy.remoteurl", "should be a full URL"],
  [3, "proxy: {remoteurl: 'https://a.b/v2/'}", "proxy.remoteurl", "should not end in /v2", "write https://a.b"],
  [
    3,
    "proxy: {remoteurl: 'https://a.b'}\nstorage: {cache: {blobdescriptor: inmemory}}",
    "storage.cache.blobdescriptor",
    "should be left out",
    "remove storage.cache",
  ],
  [
    3,
    "proxy: {remoteurl: 'https://a.b'}\nstorage: {delete: {enabled: false}}",
    "storage.delete.enabled",
    "should be true with proxy.remoteurl",
  ],
  [3, "notifications: {endpoints: [{url: listener}]}", "notifications.endpoints[0].url", "should be a full URL"],
  [3, "notifications: {endpoints: {a: {}}}", "notifications.endpoints", "should be a list"],
  [
    3,
    "middleware: {storage: [{name: alicdn}]}",
    "middleware.storage[0].name",
    "should be cloudfront, redirect or rewrite",
  ],
  [
    3,
    "middleware: {storage: [{name: redirect, disabled: true, options: {baseurl: a}}]}",
    "middleware.storage[0].disabled",
    "is not evaluated",
    "remove the whole entry",
  ],
  [3, "middleware: {storage: [{name: redirect}]}", "middleware.storage[0].options.baseurl", "is required by redirect"],
  [3, "tags: {maxtags: -1}", "tags.maxtags", "should be at least 0"],
  [3, "version: 1.0", "version", "should be 0.1"],
];

/** The same keys where they are right. */
const ACCEPTED: readonly (readonly [2 | 3, string])[] = [
  [2, "redis: {addr: 'r:1', pool: {maxidle: 1}}\nstorage: {cache: {blobdescriptor: redis}}"],
  [3, "redis: {addrs: ['r:1']}\nstorage: {cache: {blobdescriptor: redis}}"],
  [3, "storage: {maintenance: {uploadpurging: {enabled: false}}}"],
  [3, "storage: {maintenance: {readonly: {enabled: true}}}"],
  [3, "storage: {s3: {region: r, bucket: b, regionendpoint: 'https://m', forcepathstyle: false}}"],
  [2, "storage: {s3: {region: r, bucket: b, regionendpoint: 'https://m'}}"],
  [3, "storage: {azure: {accountname: a, container: c, credentials: {type: default_credentials}}}"],
  [3, "http: {tls: {clientauth: verify-client-cert-if-given, clientcas: [/ca]}}"],
  [2, "http: {tls: {minimumtls: tls1.0, clientcas: [/ca]}}"],
  [3, "http: {tls: {letsencrypt: {cachefile: /acme, hosts: [registry.example.com]}}}"],
  [3, "http: {draintimeout: 0}"],
  [3, "http: {draintimeout: 30000000000}"],
  [3, "http: {draintimeout: 1.5h10m0.5s}"],
  [3, "proxy: {remoteurl: 'https://a.b', ttl: 0}\nstorage: {delete: {enabled: false}}"],
  [2, "middleware: {registry: [{name: own, options: {any: [thing]}}]}"],
  [2, "storage:\n  inmemory:\nauth:\n  none:"],
  [3, 'version: "0.1"'],
  [3, "{}"],
];

describe("traps", () => {
  it.each(TRAPS.map((row) => ({ row })))("$row.0.x $row.1", ({ row: [major, yaml, path, message, hint = ""] }) => {
    const issue = checkDistribution(load(yaml), major).find((candidate) => candidate.path === path);
    expect(issue?.message).toContain(message);
    expect(issue?.hint ?? "").toContain(hint);
  });

  it.each(ACCEPTED)("%i.x accepts %j", (major, yaml) => {
    expect(checkDistribution(load(yaml), major)).toEqual([]);
  });
});
