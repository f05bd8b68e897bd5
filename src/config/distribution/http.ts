import type { DistributionMajor } from "./major.ts";
import { choice, choices, duration, flag, headers, section, text, textLike, texts, url } from "./values.ts";

const CIPHER_SUITES = [
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_RSA_WITH_RC4_128_SHA",
  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_RSA_WITH_AES_128_CBC_SHA",
  "TLS_RSA_WITH_AES_256_CBC_SHA",
  "TLS_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
] as const;

const CLIENT_AUTH = [
  "request-client-cert",
  "require-any-client-cert",
  "verify-client-cert-if-given",
  "require-and-verify-client-cert",
] as const;

export function httpSection(major: DistributionMajor) {
  const common = {
    addr: text("address to listen on: host:port, or a socket path with net: unix"),
    net: choice(["tcp", "unix"], "kind of listener (tcp)"),
    host: url("URL put into Location headers; without a scheme it is ignored"),
    prefix: textLike(
      /^\/(\S*\/)?$/,
      "a path that begins and ends with /",
      "path the API is served under, such as /reg/",
    ),
    secret: text("signs upload state; the same on every replica (random at each start)"),
    relativeurls: flag("Location headers without scheme and host (false)"),
    draintimeout: duration("time for running requests at stop (0s: cut at once)"),
    headers: headers("response headers, each a list"),
    debug: section("debug server: metrics and profiles, without authentication", {
      addr: text("address to listen on; empty = off"),
      prometheus: section("metrics for Prometheus", {
        enabled: flag("serve metrics (false)"),
        path: text("path of the metrics (/metrics)"),
      }),
    }),
    http2: section("HTTP/2", { disabled: flag("HTTP/1.1 only (false)") }),
    tls: tlsSection(major),
  };
  if (major === 2) return section("the HTTP server", common);
  return section("the HTTP server", {
    ...common,
    h2c: section("HTTP/2 without TLS", { enabled: flag("accept it (false)") }),
  });
}

function tlsSection(major: DistributionMajor) {
  const common = {
    certificate: text("PEM certificate, leaf first; read once at start"),
    key: text("PEM private key"),
    clientcas: texts("PEM files of the CAs of client certificates; turns mutual TLS on"),
    ciphersuites: choices(CIPHER_SUITES, "TLS 1.2 suites by Go name (ECDHE with AES-GCM or ChaCha20)"),
  };
  const acme = {
    cachefile: text("where certificates are kept (a directory on 3.x)"),
    email: text("address of the ACME account"),
    hosts: texts("names to get certificates for"),
  };
  if (major === 2) {
    return section("TLS of the server", {
      ...common,
      minimumtls: choice(["tls1.0", "tls1.1", "tls1.2", "tls1.3"], "oldest accepted version (tls1.2)"),
      letsencrypt: section("certificates from ACME", acme),
    });
  }
  return section("TLS of the server", {
    ...common,
    minimumtls: choice(["tls1.2", "tls1.3"], "oldest accepted version (tls1.2)"),
    clientauth: choice(CLIENT_AUTH, "what a client must show; needs clientcas (require-and-verify-client-cert)"),
    letsencrypt: section("certificates from ACME, over TLS-ALPN-01 on port 443", {
      ...acme,
      directoryurl: text("ACME directory (Let's Encrypt)"),
    }),
  });
}
