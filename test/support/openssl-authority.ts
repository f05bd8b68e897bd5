import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mustRun } from "./run-program.ts";

export interface OpensslAuthority {
  readonly caFile: string;
  readonly caPem: string;
  /** Issues a server certificate for subjectAltName entries (`IP:10.0.0.1`, `DNS:registry.test`), valid for 30 days. */
  issue(names: readonly string[]): Promise<{ readonly certFile: string; readonly keyFile: string }>;
}

/** A certificate authority made by openssl alone, in a folder of the caller's. */
export async function opensslAuthority(folder: string, commonName = "Rig authority"): Promise<OpensslAuthority> {
  const at = (name: string): string => join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await mustRun("openssl", [
    "req",
    "-x509",
    ...key,
    "-days",
    "30",
    "-subj",
    `/CN=${commonName}`,
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
  ]);
  let issued = 0;
  return {
    caFile: at("ca.crt"),
    caPem: await readFile(at("ca.crt"), "utf8"),
    async issue(names) {
      issued += 1;
      const [keyFile, requestFile, certFile] = ["key", "csr", "crt"].map((end) => at(`leaf-${issued}.${end}`)) as [
        string,
        string,
        string,
      ];
      await writeFile(at("extensions"), `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\n`);
      await mustRun("openssl", ["req", ...key, "-subj", "/CN=leaf", "-keyout", keyFile, "-out", requestFile]);
      const authority = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-extfile", at("extensions")];
      await mustRun("openssl", ["x509", "-req", "-in", requestFile, ...authority, "-days", "30", "-out", certFile]);
      return { certFile, keyFile };
    },
  };
}
