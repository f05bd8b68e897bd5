/** What was seen of a registry from a client's side: plain values, gathered before any check looks at them. */
import type { X509Certificate } from "node:crypto";
import type { Dial, Resolution } from "../probe/address.ts";
import type { ClientFacts } from "../probe/client-files.ts";
import type { HttpResult } from "../probe/http.ts";
import type { TlsLook } from "../probe/tls.ts";
import type { UploadLook } from "../probe/upload.ts";
import type { Target } from "./target.ts";

/** The endpoint's certificates, and what they were judged by. */
export interface ChainFacts {
  /** In the order sent. */
  readonly sent: readonly X509Certificate[];
  /** OpenSSL's verdict with the authorities (`SELF_SIGNED_CERT_IN_CHAIN`); absent = trusted. Names play no part. */
  readonly distrust?: string;
  /** What clients were given (`--ca`, the deployment's CA, certs.d); empty = the system's authorities alone count. */
  readonly given: readonly X509Certificate[];
  /** `given` is from `--ca` or the deployment, not from this machine's certs.d. */
  readonly isGivenByHand: boolean;
  /** PEM: all that counts. */
  readonly authorities: readonly string[];
}

/** How the registry asks who one is, and what came of answering. */
export interface LoginFacts {
  /** `missing`: a 401 without WWW-Authenticate. */
  readonly scheme: "none" | "basic" | "bearer" | "other" | "missing";
  /** Of a bearer challenge, as sent. */
  readonly realm?: string;
  /** Why nobody can get a token there. */
  readonly realmProblem?: string;
  readonly user?: string;
  /** Why the password was not sent. */
  readonly withheld?: string;
  /** `loop`: a token was issued and refused. */
  readonly outcome?: "accepted" | "refused" | "token-refused" | "loop" | "failed";
  /** Of the last answer. */
  readonly status?: number;
}

/** One blob of an image that was named. */
export interface BlobFacts {
  readonly digest: string;
  readonly head: HttpResult;
  readonly get: HttpResult;
}

export interface ImageFacts {
  readonly name: string;
  readonly manifest: HttpResult;
  readonly blobs: readonly BlobFacts[];
}

export interface EndpointFacts {
  readonly target: Target;
  /** It is the registry of a deployment on this host, whose port was looked for here. */
  readonly isOwn: boolean;
  readonly now: Date;
  readonly resolution: Resolution;
  readonly dials: readonly Dial[];
  /** Where all that follows was asked; absent when nothing is open. */
  readonly address?: string;
  /** Always tried first, also for http://. */
  readonly tls?: TlsLook;
  readonly chain?: ChainFacts;
  /** `GET /v2/` in plain HTTP, where TLS is not spoken or the target is http://. */
  readonly plain?: HttpResult;
  /** `GET /v2/` without credentials, over TLS with any certificate. */
  readonly secure?: HttpResult;
  /** The one of the two that clients get. */
  readonly answer?: HttpResult;
  /** The same over HTTP/2, where the server offers it. */
  readonly http2?: HttpResult;
  readonly login?: LoginFacts;
  readonly upload?: UploadLook;
  /** Why no upload was tried. */
  readonly uploadWithheld?: string;
  readonly image?: ImageFacts;
  /** Path of the certificate of certs.d that was shown, as the registry asked for one and took it. */
  readonly shownCertificate?: string;
  readonly client: ClientFacts;
}
