/** Every program that verifies certificates in a way of its own, asked about one registry. */
import { join } from "node:path";
import { curl, skopeo } from "./clients.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { mustRun, type ProgramResult, runProgram } from "./run-program.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

export interface Verified {
  /** As it stands in image names. */
  readonly registry: string;
  readonly caFile: string;
  readonly inside: NetworkNamespace;
}

export type Verdict = "trusted" | "refused";

/** Python >= 3.13 sets both flags by itself. */
const PYTHON = `
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
host, port = sys.argv[1].rsplit(":", 1)
connection = http.client.HTTPSConnection(host, int(port), context=context)
connection.request("GET", "/v2/")
print(connection.getresponse().status)
`;

const NODE = `
const { readFileSync } = require("node:fs");
require("node:https").get("https://" + process.argv[1] + "/v2/", { ca: readFileSync(process.argv[2]) },
  (response) => { console.log(response.statusCode); response.resume(); });
`;

/** What the answer says; one that is neither a trusted registry's nor a refused certificate fails the test. */
function verdict(result: ProgramResult, trusted: RegExp, refused: RegExp): Verdict {
  const said = `${result.stdout}\n${result.stderr}`;
  if (refused.test(said)) return "refused";
  if (trusted.test(said)) return "trusted";
  throw new Error(`neither trusted nor refused (exit code ${result.exitCode}):\n${said}`);
}

/** keytool fetches a list from an address: the only client that is part of the smallest Java there is. */
async function java({ registry, caFile, inside }: Verified): Promise<ProgramResult> {
  await using folder = temporaryDirectory();
  const store = join(folder.path, "trust.p12");
  const { stdout } = await mustRun("openssl", ["crl2pkcs7", "-nocrl", "-certfile", caFile]);
  const listed = await mustRun("openssl", ["pkcs7", "-print_certs"], { input: stdout });
  const pems = listed.stdout.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const secret = ["-storepass", "changeit"];
  for (const [index, input] of pems.entries()) {
    const into = ["-alias", String(index), "-keystore", store, "-storetype", "PKCS12", ...secret];
    await mustRun("keytool", ["-importcert", "-noprompt", ...into], { input });
  }
  const trust = [`-J-Djavax.net.ssl.trustStore=${store}`, "-J-Djavax.net.ssl.trustStorePassword=changeit"];
  return await runProgram("keytool", [...trust, "-printcrl", "-file", `https://${registry}/v2/`], { inside });
}

/** By the name of the implementation; no login is needed. */
export const VERIFIERS: Readonly<Record<string, (one: Verified) => Promise<Verdict>>> = {
  curl: async ({ registry, caFile, inside }) =>
    verdict(await curl(`https://${registry}/v2/`, { caFile, inside }), /^401$/m, /curl: \(60\)/),
  "openssl -x509_strict": async ({ registry, caFile, inside }) => {
    const host = registry.slice(0, registry.lastIndexOf(":"));
    const args = ["s_client", "-connect", registry, "-servername", host, "-verify_hostname", host, "-CAfile", caFile];
    const strict = ["-verify_return_error", "-x509_strict", "-purpose", "sslserver"];
    const result = await runProgram("openssl", [...args, ...strict], { inside });
    return verdict(result, /Verify return code: 0 \(ok\)/, /verify error|certificate verify failed/);
  },
  "GnuTLS (wget)": async ({ registry, caFile, inside }) => {
    const args = ["--no-config", "--no-proxy", "--tries=1", `--ca-certificate=${caFile}`, "-O", "/dev/null"];
    const result = await runProgram("wget", [...args, `https://${registry}/v2/`], { inside });
    return verdict(result, /401 Unauthorized/, /certificate .* is not trusted/);
  },
  Node: async ({ registry, caFile, inside }) =>
    verdict(await runProgram(process.execPath, ["-e", NODE, registry, caFile], { inside }), /^401$/m, /UNABLE_TO_/),
  "Python, strict": async ({ registry, caFile, inside }) => {
    const result = await runProgram("/usr/bin/python3", ["-c", PYTHON, registry, caFile], { inside });
    return verdict(result, /^401$/m, /CERTIFICATE_VERIFY_FAILED/);
  },
  Java: async (one) => verdict(await java(one), /response code: 401/, /PKIX path/),
  "Go (skopeo)": async ({ registry, caFile, inside }) => {
    const result = await skopeo("inspect", `docker://${registry}/no/such:1`, { caFile, inside });
    return verdict(result, /unauthorized|authentication required/, /x509: /);
  },
};

/** The verdict of every one of them. */
export async function verdicts(one: Verified): Promise<Record<string, Verdict>> {
  const found = await Promise.all(
    Object.entries(VERIFIERS).map(async ([name, verify]) => [name, await verify(one)] as const),
  );
  return Object.fromEntries(found);
}

/** What `verdicts` resolves to when all of them agree. */
export function everyVerifier(verdict: Verdict): Record<string, Verdict> {
  return Object.fromEntries(Object.keys(VERIFIERS).map((name) => [name, verdict]));
}
