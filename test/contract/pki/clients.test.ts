import { once } from "node:events";
import { createServer, get, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthority } from "../../../src/pki/authority.ts";
import { issueLeaf } from "../../../src/pki/leaf.ts";
import { normalizeHosts } from "../../../src/pki/san.ts";
import { openWorkshop } from "./openssl.ts";

/** Python 3.13 sets this flag by default; older versions have it and leave it off. */
const PYTHON_STRICT = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as raw:
    with context.wrap_socket(raw, server_hostname=sys.argv[2]) as tls:
        print("verified", tls.version())
`;

const workshop = openWorkshop();
let server: Server;
let port: number;
let ca: string;

beforeAll(async () => {
  const now = new Date();
  const authority = await createAuthority({ deploymentName: "clients", now });
  const hosts = normalizeHosts(["registry.test", "*.registry.test", "127.0.0.1"]);
  const { certificatePem, keyPem } = await issueLeaf({ authority, hosts, now });
  const other = await createAuthority({ deploymentName: "clients", now, keyBits: 2048 });
  ca = authority.certificatePem;
  workshop.write("ca.crt", ca);
  workshop.write("other.crt", other.certificatePem);
  workshop.write("strict.py", PYTHON_STRICT);
  server = createServer({ cert: certificatePem, key: keyPem.reveal() }, (_, response) => response.end("served"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  workshop.remove();
});

const curl = (authority: string, host: string) =>
  workshop.run(
    "curl",
    "-sS",
    "--noproxy",
    "*",
    "--cacert",
    authority,
    "--resolve",
    `${host}:${port}:127.0.0.1`,
    `https://${host}:${port}/`,
  );

it.each(["registry.test", "team.registry.test", "127.0.0.1"])("curl trusts it as %s", async (host) => {
  expect(await curl("ca.crt", host)).toEqual({ code: 0, output: "served" });
});

it("curl refuses another name and another CA", async () => {
  expect((await curl("ca.crt", "other.test")).code).toBe(60);
  expect((await curl("ca.crt", "a.b.registry.test")).code).toBe(60);
  expect((await curl("other.crt", "registry.test")).code).toBe(60);
});

it.each(["registry.test", "team.registry.test", "127.0.0.1"])(
  "Python with strict verification trusts it as %s",
  async (host) => {
    const { code, output } = await workshop.run("python3", "strict.py", "ca.crt", host, String(port));
    expect(output).toMatch(/^verified TLSv1\.[23]/);
    expect(code).toBe(0);
  },
);

it("Python refuses another CA", async () => {
  expect((await workshop.run("python3", "strict.py", "other.crt", "registry.test", String(port))).output).toContain(
    "CERTIFICATE_VERIFY_FAILED",
  );
});

it("Node trusts it", async () => {
  const request = get({ host: "127.0.0.1", port, servername: "registry.test", ca, agent: false });
  const [response] = await once(request, "response");
  response.resume();
  expect(response.statusCode).toBe(200);
});
