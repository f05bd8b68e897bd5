/** One TLS handshake that accepts everything and tells what it saw. */
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { systemCodeOf } from "../errors.ts";
import { type ClientPair, shown } from "./http.ts";

export interface TlsLook {
  /** Node's code when there was no handshake: `ERR_SSL_WRONG_VERSION_NUMBER`, `ECONNRESET`, `ETIMEDOUT`. */
  readonly failure?: string;
  /** `TLSv1.3`; absent without a handshake. */
  readonly protocol?: string;
  /** What the server chose of h2 and http/1.1; absent when it chose nothing. */
  readonly alpn?: string;
  /** DER, in the order sent; at most 20. */
  readonly chain: readonly Buffer[];
  /** OpenSSL's verdict with the authorities given (`SELF_SIGNED_CERT_IN_CHAIN`); absent = trusted. Names play no part. */
  readonly distrust?: string;
}

export interface TlsQuestion {
  readonly address: string;
  readonly port: number;
  /** The name asked for (SNI), unless it is an address. */
  readonly host: string;
  /** PEM. */
  readonly authorities: readonly string[];
  readonly timeoutMs: number;
  readonly pair?: ClientPair;
}

const LONGEST_CHAIN = 20;
/** Also what clients refuse: it has to be seen to be named. */
const EVERYTHING = { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const;

/** Never rejects. */
export function lookAtTls({ address, port, host, authorities, timeoutMs, pair }: TlsQuestion): Promise<TlsLook> {
  return new Promise((resolve) => {
    let socket: TLSSocket | undefined;
    const end = (look: TlsLook): void => {
      clearTimeout(timer);
      socket?.destroy();
      resolve(look);
    };
    const timer = setTimeout(() => end({ failure: "ETIMEDOUT", chain: [] }), timeoutMs);
    try {
      socket = connect({
        host: address,
        port,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...EVERYTHING,
        ALPNProtocols: ["h2", "http/1.1"],
        rejectUnauthorized: false,
        ca: [...authorities],
        ...shown(pair),
        checkServerIdentity: () => undefined,
      });
    } catch (error) {
      end({ failure: systemCodeOf(error) ?? "EPROTO", chain: [] });
      return;
    }
    socket.once("secureConnect", () => end(describe(socket as TLSSocket)));
    socket.once("error", (error) => end({ failure: systemCodeOf(error) ?? "EPROTO", chain: [] }));
    socket.once("close", () => end({ failure: "ECONNRESET", chain: [] }));
  });
}

function describe(socket: TLSSocket): TlsLook {
  const protocol = socket.getProtocol();
  // Its type says Error; it is the code of OpenSSL's verdict.
  const distrust = socket.authorized ? undefined : String(socket.authorizationError);
  return {
    chain: sentChain(socket),
    ...(protocol === null ? {} : { protocol }),
    ...(typeof socket.alpnProtocol === "string" ? { alpn: socket.alpnProtocol } : {}),
    ...(distrust === undefined ? {} : { distrust }),
  };
}

/** `issuerCertificate` of a peer's certificate is the next one sent, whoever issued what. */
function sentChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined && chain.length < LONGEST_CHAIN;
    next = next.issuerCertificate
  )
    chain.push(next.raw);
  return chain;
}
