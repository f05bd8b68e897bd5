/** Which authorities clients of a deployment are to trust at the moment. */
import { join } from "node:path";
import { readIfExists } from "../project/files.ts";
import { FILES } from "../project/paths.ts";

/** PEM with LF, one certificate each: Java's and Debian's stores take one a file. */
export interface ClientAuthorities {
  /**
   * What a client has to be given, each of them. Two while an authority that cannot be cross-signed is replaced: the one that
   * signed what is served now, then the one that takes over. None without TLS, or when a public authority issued it.
   */
  readonly current: readonly string[];
  /** On its way out: no client needs it any more, but one that has it keeps it until the rollover is finished. */
  readonly previous: readonly string[];
}

/** Reads the authorities in certs/. Throws `input-invalid` on a damaged file. */
export async function clientAuthorities(directory: string): Promise<ClientAuthorities> {
  const [authority, next, previous] = await Promise.all(
    [FILES.authorityCertificate, FILES.nextAuthority, FILES.previousAuthority].map((file) =>
      readIfExists(join(directory, file)),
    ),
  );
  const { splitPem } = await import("../pki/pem.ts");
  return {
    current: [authority, next].flatMap((text) => splitPem(text ?? "")),
    previous: splitPem(previous ?? ""),
  };
}
