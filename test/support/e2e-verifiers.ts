/** Every verifier of certificates there is, against a registry that serves. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { expect } from "vitest";
import { skopeo, skopeoCopy } from "./clients.ts";
import { answer } from "./e2e-deployment.ts";
import { tinyImage } from "./e2e-image.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";
import type { Scenario } from "./scenario.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates the registry sends, leaf first, and what openssl's strictest check says of them. */
export async function served(
  one: Scenario,
  caFile: string,
): Promise<{ chain: X509Certificate[]; result: ProgramResult }> {
  const args = [
    "s_client",
    "-connect",
    `localhost:${one.port}`,
    "-servername",
    "localhost",
    "-showcerts",
    "-CAfile",
    caFile,
  ];
  const strict = ["-verify_return_error", "-x509_strict", "-verify_hostname", "localhost", "-purpose", "sslserver"];
  const result = await runProgram("openssl", [...args, ...strict]);
  return { chain: [...result.stdout.matchAll(PEM)].map(([pem]) => new X509Certificate(pem)), result };
}

const PYTHON = `
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.verify_flags |= ssl.VERIFY_X509_STRICT
connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context)
connection.request("GET", "/v2/")
print(connection.getresponse().status)
`;
const NODE = `
const { readFileSync } = require("node:fs");
require("node:https").get({ host: "localhost", port: process.argv[1], path: "/v2/", ca: readFileSync(process.argv[2]) },
  (response) => { console.log(response.statusCode); response.resume(); });
`;

/** Every verifier there is: OpenSSL, Python's ssl, Node, curl's (in \`answer\`), and Go's in skopeo. */
export async function expectEveryClientTrusts(one: Scenario, caFile = one.caFile): Promise<void> {
  const { result } = await served(one, caFile);
  expect(result.stdout).toContain("Verify return code: 0 (ok)");
  const python = await runProgram("/usr/bin/python3", ["-c", PYTHON, String(one.port), caFile]);
  expect(python, python.stderr).toMatchObject({ exitCode: 0, stdout: "401\n" });
  const node = await runProgram(process.execPath, ["-e", NODE, String(one.port), caFile]);
  expect(node, node.stderr).toMatchObject({ exitCode: 0, stdout: "401\n" });
  expect(await answer({ ...one, caFile })).toBe(200);
  const go = await skopeo("list-tags", `docker://localhost:${one.port}/chain/probe`, {
    caFile,
    credentials: one.credentials,
  });
  expect(go, go.stderr).toMatchObject({ exitCode: 0 });
}

/** Something for a client to ask for. */
export async function pushProbe(one: Scenario, caFile = one.caFile): Promise<void> {
  await using image = await tinyImage();
  await using folder = temporaryDirectory();
  await image.save(join(folder.path, "image.tar"));
  const target = { caFile, credentials: one.credentials };
  const pushed = await skopeoCopy(
    `docker-archive:${folder.path}/image.tar`,
    `docker://localhost:${one.port}/chain/probe:1`,
    { destination: target },
  );
  expect(pushed, pushed.stderr).toMatchObject({ exitCode: 0 });
}
