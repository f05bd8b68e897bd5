import { describe, expect, it } from "vitest";
import {
  classifyPullFailure,
  connectionFailure,
  engineTextOf,
  isPortConflict,
  registryOf,
  translateFailure,
  translatePullFailure,
} from "../../../src/engine/errors.ts";
import { RegctlError } from "../../../src/errors.ts";

/** As dockerode makes them. */
function refusal(
  statusCode: number,
  text: string,
  reason: string | undefined = "server error",
  json: unknown = { message: text },
) {
  return Object.assign(new Error(`(HTTP code ${statusCode}) ${reason ?? "unexpected"} - ${text} `), {
    statusCode,
    reason,
    json,
  });
}

describe("engineTextOf", () => {
  it.each<[string, unknown, string]>([
    ["JSON", refusal(500, "it broke"), "it broke"],
    ["no JSON, as on streams", refusal(404, "manifest unknown - really", undefined, null), "manifest unknown - really"],
    ["a page", refusal(502, "<html>Bad Gateway</html>", undefined, Buffer.from("x")), "<html>Bad Gateway</html>"],
    ["no refusal", new Error("socket hang up"), "socket hang up"],
    ["no error", "text", "text"],
  ])("finds the engine's words in %s", (_title, error, text) => {
    expect(engineTextOf(error)).toBe(text);
  });
});

describe("translateFailure", () => {
  it.each([
    [404, "network regctl-x not found", "not-found"],
    [409, "Conflict. The container name is already in use", "conflict"],
    [401, "authorization denied by plugin", "engine-denied"],
    [403, "Forbidden", "engine-denied"],
    [400, 'invalid mount config for type "bind": bind source path does not exist: /x', "engine-failed"],
    [500, "OCI runtime create failed", "engine-failed"],
    [500, "write /var/lib/docker/tmp/x: no space left on device", "disk-full"],
  ])("turns %i %s into %s", (status, text, code) => {
    const failure = translateFailure(refusal(status, text), { doing: "start container web" });
    expect(failure.code).toBe(code);
    expect(failure.message).toBe(`cannot start container web: ${text}`);
    expect(failure.cause).toBeInstanceOf(Error);
  });

  it.each([
    ["ENOENT", "engine-unreachable", /systemctl start docker/],
    ["ECONNREFUSED", "engine-unreachable", /systemctl start docker/],
    ["EACCES", "engine-denied", /usermod -aG docker/],
    ["EPERM", "engine-denied", /usermod/],
    ["ECONNRESET", "engine-unreachable", /DOCKER_TLS_VERIFY/],
    ["ENOTFOUND", "engine-unreachable", /DOCKER_HOST/],
    ["EHOSTUNREACH", "engine-unreachable", /docker version/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "engine-unreachable", /DOCKER_CERT_PATH/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "engine-unreachable", /DOCKER_CERT_PATH/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "engine-unreachable", /DOCKER_CERT_PATH/],
  ])("turns %s into %s with the way out", (systemCode, code, hint) => {
    const failure = translateFailure(Object.assign(new Error("it failed"), { code: systemCode }), {
      doing: "list containers",
    });
    expect(failure.code).toBe(code);
    expect(failure.hint).toMatch(hint);
  });

  it("reports the interruption, not what it did to the connection", () => {
    const reset = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    expect(translateFailure(reset, { doing: "pull x", signal: AbortSignal.abort() }).code).toBe("interrupted");
    const reason = new RegctlError("terminated", "terminated");
    expect(translateFailure(reset, { doing: "pull x", signal: AbortSignal.abort(reason) })).toBe(reason);
  });

  it("leaves an error alone that says all already", () => {
    const error = new RegctlError("conflict", "taken");
    expect(translateFailure(error, { doing: "create container x", signal: AbortSignal.abort() })).toBe(error);
  });

  it("does not take every code for one of the connection", () => {
    expect(connectionFailure(Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_TYPE" }))).toBeUndefined();
    expect(connectionFailure(new Error("x"))).toBeUndefined();
  });
});

describe("isPortConflict", () => {
  it.each([
    "driver failed programming external connectivity on endpoint a (5f0): Bind for 127.0.0.1:5000 failed: port is already allocated",
    "driver failed programming external connectivity on endpoint a (5f0): Error starting userland proxy: listen tcp4 127.0.0.1:5000: bind: address already in use",
    "failed to set up container networking: driver failed programming external connectivity on endpoint a (5f0): failed to bind host port for 0.0.0.0:5000:172.17.0.2:5000/tcp: address already in use",
  ])("knows %s", (text) => {
    expect(isPortConflict(text)).toBe(true);
  });

  it("knows nothing else", () => {
    expect(isPortConflict("listen tcp4 10.9.9.9:5000: bind: cannot assign requested address")).toBe(false);
  });
});

describe("classifyPullFailure", () => {
  it.each([
    [
      "network",
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host',
    ],
    [
      "network",
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: server misbehaving',
    ],
    ["network", 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'],
    ["network", 'Get "https://10.1.2.3/v2/": dial tcp 10.1.2.3:443: connect: no route to host'],
    [
      "network",
      'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution',
    ],
    [
      "network",
      'Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    ],
    ["network", 'Get "https://registry-1.docker.io/v2/": context deadline exceeded'],
    ["network", 'Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout'],
    [
      "network",
      'Get "https://registry-1.docker.io/v2/": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused',
    ],
    ["network", 'Get "https://registry-1.docker.io/v2/": EOF'],
    ["network", "read tcp 10.0.0.2:40000->10.0.0.9:443: read: connection reset by peer"],
    ["network", "received unexpected HTTP status: 503 Service Unavailable"],
    ["network", "unexpected EOF"],
    ["tls", 'Get "https://registry.example.com:5000/v2/": http: server gave HTTP response to HTTPS client'],
    ["tls", 'Get "https://registry.example.com:5000/v2/": x509: certificate signed by unknown authority'],
    [
      "tls",
      'Get "https://10.1.2.3:5000/v2/": x509: cannot validate certificate for 10.1.2.3 because it doesn\'t contain any IP SANs',
    ],
    [
      "tls",
      'Get "https://registry.example.com:5000/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    ["tls", 'Get "https://registry.example.com:5000/v2/": remote error: tls: bad certificate'],
    ["not-found", "manifest for 127.0.0.1:5000/x:1 not found: manifest unknown: manifest unknown"],
    ["not-found", "manifest unknown: manifest unknown"],
    ["not-found", "name unknown: repository name not known to registry"],
    [
      "not-found",
      "pull access denied for nobody/nothing, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    ["unauthorized", 'Get "http://127.0.0.1:5000/v2/x/manifests/1": no basic auth credentials'],
    ["unauthorized", "unauthorized: authentication required"],
    ["unauthorized", "denied: requested access to the resource is denied"],
    ["unauthorized", 'Head "http://127.0.0.1:5000/v2/x/manifests/1": received unexpected HTTP status: 403 Forbidden'],
    ["unauthorized", "error parsing HTTP 401 response body: unexpected end of JSON input"],
    [
      "rate-limit",
      "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
    ],
    [
      "rate-limit",
      "error parsing HTTP 429 response body: invalid character 'T' looking for beginning of value: \"Too Many Requests (HAP429).\"",
    ],
    ["other", "no matching manifest for linux/arm64/v8 in the manifest list entries"],
    ["other", "filesystem layer verification failed for digest sha256:0123"],
    ["other", "invalid reference format"],
  ])("sees %s in %s", (reason, text) => {
    expect(classifyPullFailure(text)).toBe(reason);
  });
});

describe("translatePullFailure", () => {
  it.each([
    [404, "manifest unknown: manifest unknown", "not-found"],
    [500, "unauthorized: authentication required", "unauthorized"],
    [500, 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', "network"],
  ])("explains a refusal with %i %s", (status, text, reason) => {
    const failure = translatePullFailure(
      refusal(status, text, undefined, null),
      "registry.example.com:5000/team/api:1",
      undefined,
    );
    expect(failure).toMatchObject({
      code: "image-unavailable",
      message: `cannot pull registry.example.com:5000/team/api:1: ${text}`,
      details: { reason },
      hint: expect.stringContaining("registry.example.com:5000"),
    });
  });

  it("does not blame the registry for a lost engine, a full disk or an interruption", () => {
    const reset = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
    expect(translatePullFailure(reset, "x", undefined).code).toBe("engine-unreachable");
    expect(translatePullFailure(Object.assign(new Error("x"), { code: "EACCES" }), "x", undefined).code).toBe(
      "engine-denied",
    );
    expect(translatePullFailure(new Error("write: no space left on device"), "x", undefined).code).toBe("disk-full");
    expect(translatePullFailure(reset, "x", AbortSignal.abort()).code).toBe("interrupted");
  });
});

describe("registryOf", () => {
  it.each([
    ["registry", "docker.io"],
    ["library/registry:2", "docker.io"],
    ["team/api/web", "docker.io"],
    ["registry.example.com/api", "registry.example.com"],
    ["localhost/api", "localhost"],
    ["registry:5000/api@sha256:0123", "registry:5000"],
  ])("finds the registry of %s", (reference, host) => {
    expect(registryOf(reference)).toBe(host);
  });
});
