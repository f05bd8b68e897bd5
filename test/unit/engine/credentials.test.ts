import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { findCredentials } from "../../../src/engine/credentials.ts";
import type { RegistryCredentials } from "../../../src/engine/engine.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const directory = temporaryDirectory();
afterAll(() => directory[Symbol.asyncDispose]());

const base64 = (text: string) => Buffer.from(text).toString("base64");
let homes = 0;

/** A home whose docker configuration is this, with these programs in PATH. */
function home(config: object | string | undefined, programs: Record<string, string> = {}) {
  homes += 1;
  const homeDirectory = join(directory.path, `home-${homes}`);
  const bin = join(homeDirectory, "bin");
  mkdirSync(join(homeDirectory, ".docker"), { recursive: true });
  mkdirSync(bin);
  if (config !== undefined) {
    writeFileSync(
      join(homeDirectory, ".docker/config.json"),
      typeof config === "string" ? config : JSON.stringify(config),
    );
  }
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { homeDirectory, environment: { PATH: `${bin}:/usr/bin:/bin`, OUT: homeDirectory } };
}

function revealed(credentials: RegistryCredentials | undefined) {
  return credentials && { ...credentials, password: credentials.password.reveal() };
}

/** Answers as the helpers of docker-credential-helpers do; writes down how it was called. */
const GOOD_HELPER = `
printf '%s ' "$0" "$@" > "$OUT/arguments"
cat > "$OUT/input"
printf '{"ServerURL":"%s","Username":"helped","Secret":"s3cret"}' "$(cat "$OUT/input")"`;

describe("findCredentials", () => {
  it.each<[string, string, object]>([
    ["a host", "registry.example.com:5000", { "registry.example.com:5000": { auth: base64("admin:pass:word") } }],
    [
      "a URL of an old client",
      "registry.example.com",
      { "https://registry.example.com/v1/": { auth: base64("admin:pass:word") } },
    ],
    [
      "a user and a password apart",
      "registry.example.com",
      { "registry.example.com": { username: "admin", password: "pass:word" } },
    ],
    ["a padded entry", "registry.example.com", { "registry.example.com": { auth: base64("admin:pass:word\0\0") } }],
  ])("reads `auths` keyed by %s", async (_title, host, auths) => {
    expect(revealed(await findCredentials(host, home({ auths })))).toEqual({
      username: "admin",
      password: "pass:word",
      isIdentityToken: false,
      serverAddress: host,
    });
  });

  it.each(["docker.io", "index.docker.io", "registry-1.docker.io"])(
    "finds Docker Hub's under the name for %s",
    async (host) => {
      const found = await findCredentials(
        host,
        home({ auths: { "https://index.docker.io/v1/": { auth: base64("hub:pw") } } }),
      );
      expect(found).toMatchObject({ username: "hub", serverAddress: "https://index.docker.io/v1/" });
    },
  );

  it("gives an identity token instead of the password", async () => {
    const auths = { "r.example.com": { auth: base64("00000000:"), identitytoken: "t0ken" } };
    expect(revealed(await findCredentials("r.example.com", home({ auths })))).toMatchObject({
      password: "t0ken",
      isIdentityToken: true,
    });
  });

  it.each<[string, object | string | undefined]>([
    ["there is no configuration", undefined],
    ["the configuration is empty", ""],
    ["another registry's are stored", { auths: { "other.example.com": { auth: base64("a:b") } } }],
    ["a host whose name only begins so is stored", { auths: { "r.example.com.evil.org": { auth: base64("a:b") } } }],
    ["the same host's other port is stored", { auths: { "r.example.com:444": { auth: base64("a:b") } } }],
    ["the entry is empty", { auths: { "r.example.com": {} } }],
    ["the entry is garbage", { auths: { "r.example.com": { auth: "%%%" } } }],
  ])("finds none when %s", async (_title, config) => {
    expect(await findCredentials("r.example.com", home(config))).toBeUndefined();
  });

  it("asks the helper, over its input alone", async () => {
    const options = home(
      { credsStore: "good", auths: { "r.example.com": {} } },
      { "docker-credential-good": GOOD_HELPER },
    );
    expect(revealed(await findCredentials("r.example.com", options))).toEqual({
      username: "helped",
      password: "s3cret",
      isIdentityToken: false,
      serverAddress: "r.example.com",
    });
    expect(readFileSync(join(options.homeDirectory, "input"), "utf8")).toBe("r.example.com");
    expect(readFileSync(join(options.homeDirectory, "arguments"), "utf8")).toMatch(/docker-credential-good get $/);
  });

  it("prefers the environment, then the registry's own helper, then the store, then the file", async () => {
    const say = (user: string) => `cat >/dev/null; echo '{"Username":"${user}","Secret":"x"}'`;
    const auths = { "a.example.com": { auth: base64("file:x") }, "c.example.com": { auth: base64("file:x") } };
    const config = { auths, credsStore: "store", credHelpers: { "b.example.com": "own" } };
    const options = home(config, { "docker-credential-store": say("store"), "docker-credential-own": say("own") });
    const user = async (host: string) => (await findCredentials(host, options))?.username;
    expect([await user("a.example.com"), await user("b.example.com")]).toEqual(["store", "own"]);
    const environment = {
      ...options.environment,
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "b.example.com": { auth: base64("env:x") } } }),
    };
    expect((await findCredentials("b.example.com", { ...options, environment }))?.username).toBe("env");
    expect((await findCredentials("c.example.com", home({ auths })))?.username).toBe("file");
  });

  it("understands a helper's token and a helper that has nothing", async () => {
    const options = home(
      { credHelpers: { "t.example.com": "token", "n.example.com": "none" } },
      {
        "docker-credential-token": `cat >/dev/null; echo '{"Username":"<token>","Secret":"t0ken"}'`,
        "docker-credential-none": "echo 'credentials not found in native keychain'; exit 1",
      },
    );
    expect(revealed(await findCredentials("t.example.com", options))).toMatchObject({
      password: "t0ken",
      isIdentityToken: true,
    });
    expect(await findCredentials("n.example.com", options)).toBeUndefined();
  });

  it.each([
    ["is not installed", "absent", undefined, /docker-credential-absent: it is not in PATH/],
    ["fails", "bad", "echo 'cannot reach the keychain'; exit 1", /cannot reach the keychain/],
    ["fails silently", "bad", "exit 3", /exit code 3/],
    ["answers nonsense", "bad", "echo 's3cret'", /not the JSON/],
  ])("says that the helper %s, without its answer", async (_title, name, script, message) => {
    const options = home({ credsStore: name }, script === undefined ? {} : { [`docker-credential-${name}`]: script });
    const failure = await findCredentials("r.example.com", options).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "operation-failed",
      message: expect.stringMatching(message),
      hint: expect.stringContaining(`docker-credential-${name}`),
    });
    expect(inspect(failure)).not.toContain("s3cret");
  });

  it.each(["../evil", "a b", "x;touch /tmp/pwned", ""])("never runs a helper called %j", async (name) => {
    const finding = findCredentials("r.example.com", home({ credHelpers: { "r.example.com": name } }));
    if (name === "") expect(await finding).toBeUndefined();
    else await expect(finding).rejects.toMatchObject({ code: "config-invalid" });
  });

  it("does not quote a broken DOCKER_AUTH_CONFIG, which holds secrets", async () => {
    const environment = { DOCKER_AUTH_CONFIG: '{"auths":{"x":{"auth":"aHVudGVyMg=="}}' };
    const failure = await findCredentials("x", { homeDirectory: "/nonexistent", environment }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: "config-invalid", message: expect.stringContaining("DOCKER_AUTH_CONFIG") });
    expect(inspect(failure)).not.toContain("aHVudGVyMg");
  });

  it("stops asking when it is told to", async () => {
    const options = home({ credsStore: "slow" }, { "docker-credential-slow": "exec tail -f /dev/null" });
    const finding = findCredentials("r.example.com", { ...options, signal: AbortSignal.timeout(200) });
    await expect(finding).rejects.toMatchObject({ code: "interrupted" });
  });
});
