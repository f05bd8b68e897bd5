import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { issueClient } from "../../src/pki/client.ts";
import { filesBelow } from "../support/files-below.ts";
import { edit, keep, type Made, made } from "../support/made-deployment.ts";
import { type RunOptions, type RunResult, run } from "../support/run.ts";
import { mustRun } from "../support/run-program.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";

const DAY_MS = 86_400_000;

interface Given {
  readonly serial: string;
  readonly sha256: string;
  readonly notAfter: string;
  readonly files: readonly string[];
  readonly changes: readonly { readonly kind: string; readonly because: string }[];
}

interface Listed {
  readonly clients: readonly { readonly name: string; readonly state: string; readonly daysLeft: number }[];
}

let folder: TemporaryDirectory;
beforeAll(() => {
  folder = keep(temporaryDirectory());
});

/** Where client certificates are wanted. */
async function strict(flags: readonly string[] = []): Promise<Made> {
  const deployment = await made({ flags });
  await edit(deployment.directory, "  mode: own-ca", "  mode: own-ca\n  clientAuth: required");
  const up = await run(["up", "-C", deployment.directory], { engine: deployment.engine });
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  return deployment;
}

function at({ directory, engine, port, password }: Made) {
  const command = (line: string, options: RunOptions = {}): Promise<RunResult> =>
    run([...line.split(" "), "-C", directory], { engine, cwd: folder.path, ...options });
  return {
    command,
    data: async <T>(line: string, options: RunOptions = {}) => {
      const result = await command(`${line} --json`, options);
      expect(result, result.stderr).toMatchObject({ exitCode: 0 });
      return (JSON.parse(result.stdout) as { data: T }).data;
    },
    read: (file: string) => readFile(join(directory, file), "utf8"),
    /** The status of /v2/ with the pair in that folder, or the alert it is refused with. */
    answer: async (pair: string | undefined, auth: string | null = `admin:${password}`): Promise<number | string> => {
      const show = async (name: string) => (pair === undefined ? undefined : await readFile(join(pair, name)));
      const [ca, cert, key] = [
        await readFile(join(directory, "certs/ca.crt")),
        await show("client.cert"),
        await show("client.key"),
      ];
      const target = {
        host: "127.0.0.1",
        port,
        path: "/v2/",
        agent: false,
        ca,
        cert,
        key,
        ...(auth === null ? {} : { auth }),
      };
      return new Promise((resolve) => {
        request(target, (response) => resolve(response.resume().statusCode ?? 0))
          .on("error", (error: NodeJS.ErrnoException) =>
            resolve(/ALERT|ECONNRESET/.test(error.code ?? "") ? "refused" : String(error)),
          )
          .end();
      });
    },
  };
}

describe("certs client", { timeout: 60_000 }, () => {
  it("gives out certificates, each with a password beside it, and takes back exactly one client's", async () => {
    const deployment = await strict();
    const { command, data, answer, read } = at(deployment);
    const [ci, anna] = [join(folder.path, "client-ci"), join(folder.path, "anna")];
    const given = await data<Given>("certs client ci");
    await data("certs client anna@example.com -o anna --days 10");
    expect(given.files).toEqual(["client.cert", "client.key", "README", "ca.crt"]);
    expect(given.changes.map(({ because }) => because)).toContain("accepted client certificates changed");
    expect((await stat(ci)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(ci)) expect((await stat(join(ci, name))).mode & 0o777, name).toBe(0o600);
    expect(await readFile(join(ci, "ca.crt"), "utf8")).toBe(await read("certs/ca.crt"));
    expect(await readFile(join(ci, "README"), "utf8")).toContain(`/etc/docker/certs.d/localhost:${deployment.port}`);
    const certificate = new X509Certificate(await readFile(join(ci, "client.cert")));
    expect(certificate.checkPrivateKey(createPrivateKey(await readFile(join(ci, "client.key"))))).toBe(true);
    expect(certificate.subject).toContain("CN=ci");
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(certificate.fingerprint256).toBe(given.sha256);

    expect(await answer(undefined)).toBe("refused");
    for (const pair of [ci, anna]) {
      expect(await answer(pair)).toBe(200);
      expect(await answer(pair, null)).toBe(401);
    }
    const list = await data<Listed>("certs clients");
    expect(list.clients).toMatchObject([
      { name: "ci", state: "valid", daysLeft: 89 },
      { name: "anna@example.com", state: "expiring", daysLeft: 9 },
    ]);
    expect((await command("certs clients")).stderr).toMatch(
      /certificate of anna@example.com ends.*`regctl certs client anna@example.com`/,
    );
    const inAWeek = await command("certs clients", { now: new Date(Date.now() + 5 * DAY_MS) });
    expect(inAWeek.stderr).toContain("within a week the certificate of anna@example.com ends");
    expect(await command("status")).toMatchObject({ exitCode: 0 });

    expect(await command("certs revoke ci")).toMatchObject({ exitCode: 0 });
    expect(await answer(ci)).toBe("refused");
    expect(await answer(anna)).toBe(200);
    expect((await data<Listed>("certs clients")).clients.map(({ state }) => state)).toEqual(["revoked", "expiring"]);
    expect(await data("certs revoke ci")).toMatchObject({ revoked: [], changes: [] });
    expect(await command("up")).toMatchObject({ stdout: "no changes\n" });

    await command("certs revoke anna@example.com");
    expect(await answer(anna)).toBe("refused");
    expect(await answer(undefined)).toBe("refused");
    expect((await read("certs/client-ca.crt")).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    expect(await command("status")).toMatchObject({ exitCode: 0 });
  });

  it("gives a name a further certificate; revoking the name takes back all of them", async () => {
    const deployment = await strict();
    const { command, data, answer } = at(deployment);
    await data("certs client twice -o one --days 5");
    await data("certs client twice -o two");
    for (const pair of ["one", "two"]) expect(await answer(join(folder.path, pair))).toBe(200);
    expect((await command("certs clients")).stderr).toBe("");
    expect((await command("certs revoke twice")).stdout).toContain("2 certificates");
    for (const pair of ["one", "two"]) expect(await answer(join(folder.path, pair))).toBe("refused");
  });

  it("given out twice at once are two that are accepted; nobody twice into the same folder", async () => {
    const { command, data, answer } = at(await strict());
    await Promise.all([data("certs client a -o at-once-a"), data("certs client b -o at-once-b")]);
    for (const name of ["a", "b"]) expect(await answer(join(folder.path, `at-once-${name}`))).toBe(200);
    const both = await Promise.all([command("certs client c -o at-once"), command("certs client d -o at-once")]);
    expect(both.map(({ exitCode }) => exitCode).sort()).toEqual([0, 5]);
    expect(await answer(join(folder.path, "at-once"))).toBe(200);
  });

  it("leaves out what has ended when the register changes, and never by itself", async () => {
    const deployment = await strict();
    const { command, data, read } = at(deployment);
    await data("certs client short -o short --days 1");
    const later = { now: new Date(Date.now() + 2 * DAY_MS) };
    const before = await read("certs/client-ca.crt");
    expect(await command("up", later)).toMatchObject({ stdout: "no changes\n" });
    expect(await read("certs/client-ca.crt")).toBe(before);
    await data("certs client other -o other", later);
    expect((await read("certs/client-ca.crt")).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it("may be given out before they are wanted, and without an engine", async () => {
    const { directory } = await made();
    const options = { environment: { DOCKER_HOST: "unix:///nonexistent/docker.sock" }, cwd: folder.path };
    const result = await run(["certs", "client", "early", "-C", directory], options);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toContain("set tls.clientAuth: required");
    expect(await run(["certs", "revoke", "early", "-C", directory], options)).toMatchObject({ exitCode: 0 });
  });

  it("writes a PKCS#12 that openssl opens with the password, and none without one", async () => {
    const { command } = at(await made());
    await writeFile(join(folder.path, "pw"), "p12 secret\n", { mode: 0o600 });
    expect(await command("certs client p --p12")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--p12 --password-file"),
    });
    expect(await command("certs client p --password-file pw")).toMatchObject({ exitCode: 2 });
    expect(await command("certs client p --p12 --password-file pw")).toMatchObject({ exitCode: 0 });
    const file = join(folder.path, "client-p/client.p12");
    const { stdout } = await mustRun("openssl", [
      "pkcs12",
      "-in",
      file,
      "-nokeys",
      "-passin",
      `file:${folder.path}/pw`,
    ]);
    expect(new X509Certificate(stdout.slice(stdout.indexOf("-----BEGIN"))).subject).toContain("CN=p");
  });

  it("never touches what lies in the folder, but takes the place of what a killed run left", async () => {
    const deployment = await made();
    const { command, data } = at(deployment);
    const place = (name: string) => join(folder.path, name);
    await data("certs client first -o first");
    for (const [name, prepare, why] of [
      ["first", async () => undefined, /holds a client certificate already/],
      ["strange", async () => writeFile(place("strange/notes.txt"), "mine"), /has other files in it/],
      ["open", async () => chmod(place("open"), 0o777), /can be written to by others/],
    ] as const) {
      await mkdir(place(name), { recursive: true });
      await prepare();
      const before = await filesBelow(place(name));
      const result = await command(`certs client second -o ${name}`);
      expect(result).toMatchObject({ exitCode: 5, stdout: "" });
      expect(result.stderr).toMatch(why);
      expect(await filesBelow(place(name))).toEqual(before);
    }
    await writeFile(place("file"), "mine");
    expect(await command("certs client second -o file")).toMatchObject({ exitCode: 5 });
    expect(await command("certs client second -o file/below")).toMatchObject({ exitCode: 1 });
    expect((await data<Listed>("certs clients")).clients.map(({ name }) => name)).toEqual(["first"]);

    const { certificatePem, keyPem } = await issueClient({ name: "lost", now: new Date(), lifetimeDays: 1 });
    await mkdir(place("left"), { mode: 0o700 });
    await writeFile(place("left/client.cert"), certificatePem);
    await writeFile(place("left/client.key"), keyPem.reveal());
    const given = await data<Given>("certs client second -o left");
    expect(new X509Certificate(await readFile(place("left/client.cert"))).fingerprint256).toBe(given.sha256);
  });

  it("takes everything back when the registry does not come up", async () => {
    const deployment = await strict();
    const { command, data, answer } = at(deployment);
    await data("certs client kept -o kept");
    const before = await filesBelow(join(deployment.directory, "certs"));
    deployment.engine.silent.add("registry:2");
    for (const line of ["certs client more -o more", "certs revoke kept"]) {
      const result = await command(`${line} --timeout 1`);
      expect(result).toMatchObject({ exitCode: 1, stdout: "" });
      expect(await filesBelow(join(deployment.directory, "certs"))).toEqual(before);
    }
    await expect(stat(join(folder.path, "more"))).rejects.toThrow("ENOENT");
    deployment.engine.silent.clear();
    await command("restart");
    expect(await answer(join(folder.path, "kept"))).toBe(200);
  });

  it("accepts authorities that are named in regctl.yaml, and refuses what is none", async () => {
    const deployment = await strict();
    const { command, answer } = at(deployment);
    const company = await issueClient({ name: "employee", now: new Date(), lifetimeDays: 1 });
    const pair = join(folder.path, "employee");
    await mkdir(pair);
    await writeFile(join(pair, "client.cert"), company.certificatePem);
    await writeFile(join(pair, "client.key"), company.keyPem.reveal());
    expect(await answer(pair)).toBe("refused");
    await edit(
      deployment.directory,
      "clientAuth: required",
      "clientAuth: required\n  clientAuthorities: [company.crt]",
    );
    const file = join(deployment.directory, "company.crt");
    for (const [content, why] of [
      [undefined, /is missing/],
      ["nothing\n", /holds no certificate/],
      [company.certificatePem, /is no CA/],
    ] as const) {
      if (content !== undefined) await writeFile(file, content);
      const result = await command("up");
      expect(result).toMatchObject({ exitCode: 2, stdout: "" });
      expect(result.stderr).toMatch(why);
    }
    await writeFile(file, company.authorityPem);
    expect(await command("up")).toMatchObject({ exitCode: 0 });
    expect(await answer(pair)).toBe(200);
  });

  it("fails closed: a damaged register is an error, a lost own certificate is made anew", async () => {
    const deployment = await strict();
    const { command, data } = at(deployment);
    await data("certs client x -o x");
    for (const text of ["{", "{}", '{"clients":[{"name":"x"}]}', "null"]) {
      await writeFile(join(deployment.directory, "certs/clients.json"), text);
      for (const line of ["up", "certs clients", "certs revoke x", "certs client y -o y"]) {
        const result = await command(line);
        expect(result).toMatchObject({ exitCode: 2, stdout: "" });
        expect(result.stderr).toMatch(/clients.json is damaged.*\n {2}hint: .*backup/);
      }
    }
    await rm(join(deployment.directory, "certs/clients.json"));
    for (const text of [undefined, "{}", '{"authority":"a","certificate":"b","key":"c"}']) {
      const file = join(deployment.directory, ".regctl/own-client.json");
      if (text === undefined) await rm(file);
      else await writeFile(file, text);
      expect(await command("up")).toMatchObject({ exitCode: 0 });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await command("status")).toMatchObject({ exitCode: 0 });
    }
  });

  it("refuses names that are none", async () => {
    const { directory } = await made();
    const before = await filesBelow(directory);
    const hostile = fc.oneof(
      fc.constantFrom(
        "../x",
        "x".repeat(300),
        "*",
        "",
        ".",
        "..",
        "a\nb",
        "a b",
        "-",
        "a/",
        "\u202Eab",
        "ä",
        "a\0",
        "x".repeat(65),
      ),
      fc.string({ unit: "binary" }).filter((text) => !/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(text)),
    );
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom("client", "revoke"), async (name, verb) => {
        const result = await run(["certs", verb, "-C", directory, "--", name], { cwd: folder.path });
        expect(result).toMatchObject({ exitCode: 2, stdout: "" });
        expect(result.stderr).toContain("cannot be the name of a client");
      }),
      { numRuns: 25 },
    );
    expect(await filesBelow(directory)).toEqual(before);
  });
});

describe("tls.clientAuth", () => {
  it.each<[string, RegExp]>([
    ["tls: { mode: none, clientAuth: required }", /tls.clientAuth \(line \d\): needs TLS/],
    ["tls: { clientAuth: optional }", /tls.clientAuth \(line \d\): cannot be optional on 2.x/],
    ["tls: { clientAuthorities: [a.crt] }", /tls.clientAuthorities \(line \d\): is ignored/],
    ["tls: { clientAuth: maybe }", /tls.clientAuth \(line \d\): /],
    [
      "tls: { clientAuth: required }\nregistry: { http: { tls: { clientcas: [/x] } } }",
      /registry.http.tls.clientcas \(line \d\): contradicts/,
    ],
  ])("%j is refused", async (text, why) => {
    await using place = temporaryDirectory();
    await writeFile(join(place.path, "regctl.yaml"), `${text}\n`);
    const result = await run(["config", "validate", "-C", place.path]);
    expect(result).toMatchObject({ exitCode: 2 });
    expect(result.stdout + result.stderr).toMatch(why);
  });

  it.each([
    ["required", "require-and-verify-client-cert"],
    ["optional", "verify-client-cert-if-given"],
  ])("%s is %s in the words of 3.x", async (mode, word) => {
    await using place = temporaryDirectory();
    await writeFile(join(place.path, "regctl.yaml"), `image: registry:3\ntls: { clientAuth: ${mode} }\n`);
    const shown = await run(["config", "show", "-C", place.path]);
    expect(shown.stdout).toContain(word);
    expect(shown.stdout).toContain("/certs/client-ca.crt");
  });
});
