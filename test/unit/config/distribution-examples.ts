import { load } from "js-yaml";

/** A YAML map, or a list seen by position. */
export type Node = Record<string | number, unknown>;

const COMMON = `
version: 0.1
log:
  level: warn
  formatter: json
  fields: {service: registry, replica: 2}
  accesslog: {disabled: true}
  hooks:
    - disabled: true
      type: mail
      levels: [panic, error]
      options:
        smtp: {addr: "mail.example.com:25", username: robot, password: example, insecure: false}
        from: registry@example.com
        to: [ops@example.com]
auth:
  none: {}
  silly: {realm: here, service: registry}
  htpasswd: {realm: Registry, path: /auth/htpasswd}
  token:
    realm: https://auth.example.com/token
    service: registry.example.com
    issuer: auth.example.com
    rootcertbundle: /auth/bundle.crt
    autoredirect: false
middleware:
  registry: [{name: audit, disabled: false, options: {level: 3}}]
  repository: [{name: quota, disabled: false, options: {gigabytes: 5}}]
  storage:
    - name: redirect
      disabled: false
      options: {baseurl: "https://cdn.example.com/"}
    - name: cloudfront
      options:
        baseurl: https://d111111abcdef8.cloudfront.net/
        privatekey: /etc/cloudfront.pem
        keypairid: K2JCJMDEHXQW5F
        duration: 20m
        ipfilteredby: awsregion
        awsregion: us-east-1,us-east-2
        updatefrequency: 12h
        iprangesurl: https://ip-ranges.amazonaws.com/ip-ranges.json
http:
  addr: 0.0.0.0:5000
  net: tcp
  host: https://registry.example.com
  prefix: /reg/
  secret: 0123456789abcdef
  relativeurls: true
  draintimeout: 30s
  headers: {X-Content-Type-Options: [nosniff], Strict-Transport-Security: ["max-age=63072000"]}
  debug: {addr: "127.0.0.1:5001", prometheus: {enabled: true, path: /metrics}}
  http2: {disabled: false}
  tls:
    certificate: /certs/domain.crt
    key: /certs/domain.key
    clientcas: [/certs/clients.crt]
    minimumtls: tls1.2
    ciphersuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
    letsencrypt: {cachefile: /acme, email: ops@example.com, hosts: [registry.example.com]}
notifications:
  events: {includereferences: true}
  endpoints:
    - name: scanner
      disabled: false
      url: https://scanner.example.com/events
      headers: {Authorization: [Bearer example]}
      timeout: 500ms
      threshold: 5
      backoff: 1s
      ignoredmediatypes: [application/octet-stream]
      ignore: {mediatypes: [application/vnd.oci.image.config.v1+json], actions: [pull]}
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
  file: [{file: /run/down, interval: 1s, threshold: 1}]
  http: [{uri: "http://db.example.com/ok", headers: {Accept: [text/plain]}, statuscode: 204, timeout: 3s, interval: 10s, threshold: 3}]
  tcp: [{addr: "db.example.com:5432", timeout: 3s, interval: 10s, threshold: 3}]
catalog: {maxentries: 5000}
policy: {repository: {classes: [image]}}
`;

const STORAGE = `
  filesystem: {rootdirectory: /var/lib/registry, maxthreads: 64}
  inmemory: {}
  delete: {enabled: true}
  redirect: {disable: true}
  maintenance:
    uploadpurging: {enabled: true, age: 168h, interval: 24h, dryrun: false}
    readonly: {enabled: false}
  gcs:
    bucket: images
    keyfile: /etc/gcs.json
    credentials: {type: service_account, project_id: example}
    rootdirectory: registry
    chunksize: 5242880
    maxconcurrency: 50
`;

const S3 = `
    region: eu-central-1
    bucket: images
    accesskey: example
    secretkey: example
    regionendpoint: https://minio.example.com
    encrypt: true
    keyid: alias/registry
    secure: true
    skipverify: false
    v4auth: true
    chunksize: 10485760
    multipartcopychunksize: 33554432
    multipartcopymaxconcurrency: 100
    multipartcopythresholdsize: 33554432
    rootdirectory: /registry
    storageclass: STANDARD
    objectacl: bucket-owner-full-control
`;

const EXAMPLES = {
  2: `${COMMON}
reporting:
  bugsnag: {apikey: example, releasestage: production, endpoint: "https://notify.example.com"}
  newrelic: {licensekey: example, name: registry, verbose: true}
compatibility: {schema1: {signingkeyfile: /etc/key.json, enabled: false}}
proxy: {remoteurl: "https://registry-1.docker.io", username: robot, password: example}
validation: {disabled: false, manifests: {urls: {allow: ["^https://"], deny: ["^http://"]}}}
redis:
  addr: redis:6379
  password: example
  db: 1
  dialtimeout: 10ms
  readtimeout: 10ms
  writetimeout: 10ms
  pool: {maxidle: 16, maxactive: 64, idletimeout: 300s}
storage:${STORAGE}
  cache: {blobdescriptor: redis}
  s3:${S3}
  azure: {accountname: example, accountkey: ZXhhbXBsZQ==, container: images, realm: core.windows.net}
  swift:
    {username: u, password: p, authurl: "https://keystone.example.com/v3", container: images, tenant: t, tenantid: i,
     domain: d, domainid: e, tenantdomain: f, tenantdomainid: g, trustid: h, region: fr, authversion: 3, prefix: reg,
     endpointtype: internal, insecureskipverify: false, chunksize: 20971520, secretkey: s, accesskey: a,
     tempurlcontainerkey: true, tempurlmethods: [GET, HEAD]}
  oss:
    {accesskeyid: i, accesskeysecret: s, region: oss-cn-beijing, bucket: images, endpoint: oss.example.com,
     internal: false, encrypt: true, encryptionkeyid: k, secure: true, chunksize: 10485760, rootdirectory: reg}
`,
  3: `${COMMON}
tags: {maxtags: 500}
proxy:
  remoteurl: https://registry-1.docker.io
  username: robot
  password: example
  ttl: 72h
  exec: {command: /usr/bin/helper, lifetime: 1h}
  cachewritetimeout: 5m
validation:
  disabled: false
  manifests:
    urls: {allow: ["^https://"], deny: ["^http://"]}
    indexes: {platforms: list, platformlist: [{architecture: amd64, os: linux}]}
redis:
  {addrs: ["redis-0:6379", "redis-1:6379"], clientname: registry, db: 1, protocol: 3, username: u, password: p,
   sentinelusername: s, sentinelpassword: t, maxretries: 3, minretrybackoff: 8ms, maxretrybackoff: 512ms,
   dialtimeout: 5s, readtimeout: 3s, writetimeout: 3s, contexttimeoutenabled: true, poolfifo: false, poolsize: 20,
   pooltimeout: 4s, minidleconns: 1, maxidleconns: 16, maxactiveconns: 64, connmaxidletime: 30m, connmaxlifetime: 1h,
   maxredirects: 3, readonly: false, routebylatency: false, routerandomly: false, mastername: main,
   disableidentity: false, identitysuffix: reg, unstableresp3: false,
   tls: {certificate: /c.crt, key: /c.key, clientcas: [/ca.crt], rootcas: [/ca.crt]}}
storage:${STORAGE}
  cache: {blobdescriptor: redis, blobdescriptorsize: 20000}
  tag: {concurrencylimit: 5}
  s3:${S3}
    forcepathstyle: true
    useragent: registry
    usedualstack: false
    accelerate: false
    loglevel: "off"
    usefipsendpoint: false
    redirectendpoint: https://minio.example.com
  azure:
    accountname: example
    accountkey: ZXhhbXBsZQ==
    container: images
    realm: core.windows.net
    credentials: {type: client_secret, clientid: c, tenantid: t, secret: s}
    rootdirectory: reg
    serviceurl: https://example.blob.core.windows.net
    connectionstring: example
    skipverify: false
    max_retries: 5
    retry_delay: 100ms
`,
} as const;

/** Keys that one major has inside a section both majors share. */
const OWN_KEYS: Record<2 | 3, readonly { readonly path: readonly (string | number)[]; readonly value: unknown }[]> = {
  2: [
    {
      path: ["middleware", "storage", 2],
      value: {
        name: "alicdn",
        options: { baseurl: "https://c.example.com", authtype: "a", privatekey: "k", duration: "20m" },
      },
    },
  ],
  3: [
    {
      path: ["middleware", "storage", 2],
      value: { name: "rewrite", options: { scheme: "https", host: "cdn.example.com", trimpathprefix: "/docker" } },
    },
    { path: ["log", "reportcaller"], value: true },
    { path: ["auth", "token", "jwks"], value: "/auth/jwks.json" },
    { path: ["auth", "token", "signingalgorithms"], value: ["RS256", "ES256"] },
    { path: ["auth", "token", "autoredirectpath"], value: "/token" },
    { path: ["http", "h2c"], value: { enabled: false } },
    { path: ["http", "tls", "clientauth"], value: "verify-client-cert-if-given" },
    { path: ["http", "tls", "letsencrypt", "directoryurl"], value: "https://acme.example.com/directory" },
  ],
};

/** A configuration with a value at every key of a major; as a whole it is no sensible registry. */
export function exampleOf(major: 2 | 3): Node {
  const config = load(EXAMPLES[major]) as Node;
  for (const { path, value } of OWN_KEYS[major]) {
    const parent = path.slice(0, -1).reduce<Node>((node, step) => node[step] as Node, config);
    parent[path.at(-1)!] = value;
  }
  return config;
}
