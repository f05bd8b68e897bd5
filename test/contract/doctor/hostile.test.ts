/** Servers that mean harm, or are mistaken in ways no registry is: `doctor` ends in time, sends no secret, follows nothing. */
import { createServer, type RequestListener } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createTls } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { hostAddress } from "../../support/addresses.ts";
import { findings, type Look, look, notSeen } from "../../support/doctor.ts";
import { leafExtensions, makeIssued, makeRoot, openWorkshop } from "../pki/openssl.ts";

const open: Server[] = [];
const sockets = new Set<Socket>();
const workshop = openWorkshop();
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of open) await new Promise((resolve) => server.close(resolve));
  workshop.remove();
});

async function listen(server: Server, address = "127.0.0.1"): Promise<string> {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  open.push(server);
  return `${address}:${(server.address() as AddressInfo).port}`;
}

const web = async (listener: RequestListener) => `http://${await listen(createServer(listener))}`;
const raw = (answer: (socket: Socket) => void) =>
  listen(createTcpServer((socket) => void socket.once("data", () => answer(socket))));
const API = { "docker-distribution-api-version": "registry/2.0" };
const within = async (name: string, given: Look = {}) => {
  const began = performance.now();
  const report = await look(name, { seconds: 1, ...given });
  expect(performance.now() - began).toBeLessThan(15_000);
  return findings(report);
};

describe("doctor ends in time, and says what it saw, at a server that", () => {
  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      "sends a body without end",
      (socket) => {
        socket.write("HTTP/1.1 404 x\r\n\r\n");
        const more = () => void (socket.destroyed || socket.write(Buffer.alloc(65_536, "x"), () => setImmediate(more)));
        more();
      },
      /answers-as-registry: .* answers 404/,
    ],
    [
      "sends headers without end",
      (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(20_000)}`);
      },
      /answers-as-registry: .*HPE_HEADER_OVERFLOW/,
    ],
    [
      "drips its headers",
      (socket) => {
        const timer = setInterval(() => socket.write("a"), 100);
        socket.once("close", () => clearInterval(timer));
        socket.write("HTTP/1.1 200 OK\r\n");
      },
      /answers-as-registry: .*ETIMEDOUT/,
    ],
    [
      "drips its body",
      (socket) => {
        socket.write("HTTP/1.1 404 x\r\n\r\n");
        const timer = setInterval(() => socket.write("a"), 100);
        socket.once("close", () => clearInterval(timer));
      },
      /answers-as-registry: .* answers 404/,
    ],
    ["speaks no HTTP", (socket) => void socket.end("220 mail.test ESMTP\r\n"), /answers-as-registry: .*HPE_/],
  ])("%s", async (_, answer, cause) => {
    expect((await within(`http://${await raw(answer)}`)).join("\n")).toMatch(cause);
  });

  it("takes connections and says nothing", async () => {
    const name = await listen(createTcpServer(() => undefined));
    expect(await within(name)).toEqual([expect.stringMatching(/^broken tls-handshake: .*says nothing \(ETIMEDOUT\)/)]);
  });

  it("breaks every handshake off", async () => {
    const name = await raw((socket) => void socket.destroy());
    expect(await within(name)).toEqual([expect.stringMatching(/^broken tls-handshake: .*breaks the connection off/)]);
  });

  it("has its clock two days off", async () => {
    const date = new Date(Date.now() - 2 * 86_400_000).toUTCString();
    const name = await web((_, response) => void response.writeHead(405, { ...API, date }).end());
    expect((await within(name)).join("\n")).toMatch(/broken clock: the registry's clock is 2 days behind/);
  });

  it("begins pushes it sends elsewhere, where nothing goes", async () => {
    const asked: string[] = [];
    const elsewhere = await web((request, response) => {
      asked.push(request.url ?? "");
      response.end();
    });
    const name = await web((request, response) => {
      if (request.method === "GET") return void response.writeHead(200, API).end("{}");
      response.writeHead(202, { ...API, location: `${elsewhere}/v2/x/blobs/uploads/1` }).end();
    });
    expect(await within(name)).toEqual([expect.stringMatching(/^broken upload-location: .* port is lost/)]);
    expect(asked).toEqual([]);
  });

  it("writes to the terminal in its challenge", async () => {
    const challenge = 'Bearer realm="https://auth.test:1/\u009b31m"';
    const name = await raw((socket) => {
      socket.end(
        Buffer.from(`HTTP/1.1 401 x\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`, "latin1"),
      );
    });
    const found = await within(`http://${name}`);
    expect(found).toEqual([expect.stringMatching(/^broken login-challenge: /)]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(found.join("")).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe("a password", () => {
  it("is sent to a server whose certificate is trusted, and to no other", async () => {
    await using host = await hostAddress();
    makeRoot(workshop, "ca");
    makeRoot(workshop, "other");
    makeIssued(workshop, "leaf", "ca", { extensions: leafExtensions(`IP:${host.address}`) });
    const seen: string[] = [];
    const pair = { cert: workshop.text("leaf.crt"), key: workshop.text("leaf.key") };
    const server = createTls(pair, (request, response) => {
      if (request.headers.authorization !== undefined) seen.push(request.headers.authorization);
      response.writeHead(401, { ...API, "www-authenticate": 'Basic realm="x"' }).end();
    });
    const name = await listen(server, host.address);
    const given = { user: "ci", password: "hush", seconds: 2 };

    const doubtful = await look(name, { ca: workshop.text("other.crt"), ...given });
    expect(findings(doubtful)).toEqual([expect.stringMatching(/^broken certificate-authority: /)]);
    expect(notSeen(doubtful)).toContain("login-works");
    expect(seen).toEqual([]);

    const trusted = await look(name, { ca: workshop.text("ca.crt"), ...given });
    expect(findings(trusted)).toEqual([expect.stringMatching(/^broken login-works: .* refuses ci with 401/)]);
    expect(seen).toEqual([`Basic ${Buffer.from("ci:hush").toString("base64")}`]);
  });
});

describe("HTTP/2", () => {
  it("that breaks while HTTP/1.1 works is told", async () => {
    makeRoot(workshop, "ca2");
    makeIssued(workshop, "leaf2", "ca2", { extensions: leafExtensions("IP:127.0.0.1") });
    const server = createSecureServer({
      allowHTTP1: true,
      cert: workshop.text("leaf2.crt"),
      key: workshop.text("leaf2.key"),
    });
    server.on("stream", (stream) => stream.close(2));
    server.on("sessionError", () => undefined);
    server.on("request", (request, response) => {
      if (request.httpVersionMajor === 1) response.writeHead(request.method === "GET" ? 200 : 405, API).end("{}");
    });
    const name = await listen(server as unknown as Server);
    expect(await within(name, { ca: workshop.text("ca2.crt") })).toEqual([
      expect.stringMatching(/^broken http2-works: .* offers HTTP\/2, which fails/),
    ]);
  });
});
