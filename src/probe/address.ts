/** Names to addresses, and whether somebody answers at one. */
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { systemCodeOf } from "../errors.ts";

export interface Resolution {
  /** In the order the resolver gives, which is the order clients try. */
  readonly addresses: readonly string[];
  /** Why there is none: `ENOTFOUND`, `EAI_AGAIN`, `ETIMEDOUT`. */
  readonly code?: string;
}

/** `silent`: nothing came back within the time, as when a firewall drops packets. */
export type DialOutcome = "open" | "refused" | "silent" | "unreachable";

export interface Dial {
  readonly address: string;
  readonly outcome: DialOutcome;
  readonly code?: string;
}

/** As the system resolves it, /etc/hosts included; an address is its own. Never rejects. */
export async function resolveHost(host: string, timeoutMs: number): Promise<Resolution> {
  if (isIP(host) !== 0) return { addresses: [host] };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Resolution>((resolve) => {
    timer = setTimeout(() => resolve({ addresses: [], code: "ETIMEDOUT" }), timeoutMs);
  });
  const found = lookup(host, { all: true, verbatim: true }).then(
    (answers): Resolution => ({ addresses: [...new Set(answers.map(({ address }) => address))] }),
    (error: unknown): Resolution => ({ addresses: [], code: systemCodeOf(error) ?? "EAI_FAIL" }),
  );
  try {
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
  }
}

const OUTCOMES: Readonly<Record<string, DialOutcome>> = { ECONNREFUSED: "refused", ETIMEDOUT: "silent" };

/** Opens a TCP connection and closes it. Never rejects. */
export function dial(address: string, port: number, timeoutMs: number): Promise<Dial> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (outcome: DialOutcome, code?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ address, outcome, ...(code === undefined ? {} : { code }) });
    };
    const timer = setTimeout(() => end("silent", "ETIMEDOUT"), timeoutMs);
    socket.once("connect", () => end("open"));
    socket.once("error", (error) => {
      const code = systemCodeOf(error) ?? "EFAULT";
      end(OUTCOMES[code] ?? "unreachable", code);
    });
  });
}

/** Whether an address is this machine itself: docker takes a registry there without any certificate. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}

/** Whether only this machine or its own network segment has that address (RFC 1122, 3927, 4291): cloud metadata is there. */
export function isLinkLocal(address: string): boolean {
  return address.startsWith("169.254.") || /^fe[89ab]/i.test(address) || address === "0.0.0.0" || address === "::";
}
