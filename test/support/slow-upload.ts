/** An upload that takes its time, as one over a thin line does, and a watch on whether a registry answers meanwhile. */
import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:https";
import type { Credentials } from "./clients.ts";
import { eventually } from "./eventually.ts";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly authority: string;
  readonly credentials: Credentials;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

/** One request over a connection of its own; `body` is written piece by piece, each after the time given. */
function ask(
  { host, port, authority, credentials }: Endpoint,
  method: string,
  path: string,
  body: readonly Buffer[] = [],
  eachMs = 0,
  onFirstPiece: () => void = () => undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const auth = `${credentials.user}:${credentials.password}`;
    const length = body.reduce((sum, piece) => sum + piece.length, 0);
    const headers = { "content-type": "application/octet-stream", "content-length": length };
    const sent = request(
      { host, port, path, method, agent, auth, headers, ca: authority, timeout: 60_000 },
      (answer) => {
        answer.resume();
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location }));
      },
    );
    sent.once("error", reject);
    const pieces = [...body];
    const write = (): void => {
      const piece = pieces.shift();
      if (piece === undefined) {
        sent.end();
        return;
      }
      sent.write(piece, onFirstPiece);
      setTimeout(write, eachMs);
    };
    write();
  });
}

export interface SlowUpload {
  /** Resolves once the registry has got the first bytes. */
  readonly underWay: Promise<void>;
  /** Status of the request that ends the upload. */
  readonly done: Promise<number>;
}

/** Uploads one blob in `seconds`. */
export function slowUpload(endpoint: Endpoint, repository: string, seconds: number): SlowUpload {
  const pieces = Array.from({ length: seconds * 10 }, () => randomBytes(32 * 1024));
  const digest = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
  let started: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => {
    started = resolve;
  });
  const upload = async (): Promise<number> => {
    const begun = await ask(endpoint, "POST", `/v2/${repository}/blobs/uploads/`);
    const { pathname, search } = new URL(begun.location ?? "", `https://${endpoint.host}:${endpoint.port}`);
    const path = `${pathname}${search === "" ? "?" : `${search}&`}digest=sha256:${digest}`;
    return (await ask(endpoint, "PUT", path, pieces, 100, started)).status;
  };
  return { underWay, done: upload() };
}

export interface Watch {
  /** Ends it; the longest time in which no new connection was answered, in ms. */
  stop(): Promise<number>;
}

/** Asks for /v2/ over a new connection again and again. */
export async function watchAnswers(endpoint: Endpoint): Promise<Watch> {
  let longest = 0;
  let lastAnswer: number | undefined;
  let isOver = false;
  const once = async (): Promise<void> => {
    const asked = performance.now();
    const answer = await ask(endpoint, "GET", "/v2/").catch(() => undefined);
    if (answer?.status !== 200) return;
    if (lastAnswer !== undefined) longest = Math.max(longest, asked - lastAnswer);
    lastAnswer = performance.now();
  };
  const loop = (async () => {
    while (!isOver) {
      await once();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  await eventually(() => lastAnswer !== undefined);
  return {
    async stop() {
      isOver = true;
      await loop;
      await once();
      return longest;
    },
  };
}
