/** How long nobody is answered while a certificate is renewed, and what breaks; against the engine's plain restart. */
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { withDeployment } from "./deployment.js";
import { interleave } from "./measure.js";
import { milliseconds } from "./report.js";

const READERS = 4;
const UPLOADS = 3;
const PIECES = 20;
const PIECE_MS = 100;
/** What hangs longer than this counts as failed; an upload is waited for. */
const PATIENCE_MS = 2000;

/** One request over a connection of its own; rejects when it is broken off. `send` gets the request to write its body. */
function ask({ port, ca }, { method = "GET", path = "/v2/", headers = {}, timeout, send = (sent) => sent.end() }) {
  return new Promise((resolve, reject) => {
    const options = { host: "localhost", port, ca, method, path, headers, agent: new Agent({ keepAlive: false }) };
    const sent = request(options, (answer) => {
      answer.resume();
      answer.once("error", reject);
      answer.once("end", () => resolve({ status: answer.statusCode, location: answer.headers.location }));
    });
    if (timeout !== undefined) sent.setTimeout(timeout, () => sent.destroy(new Error("no answer")));
    sent.once("error", reject);
    send(sent);
  });
}

/** A blob that takes PIECES × PIECE_MS; `begun` is called with its first bytes. Resolves to whether it was taken. */
async function upload(registry, begun) {
  const pieces = Array.from({ length: PIECES }, () => randomBytes(32 * 1024));
  const digest = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
  const authorization = `Basic ${registry.auth}`;
  const { location } = await ask(registry, {
    method: "POST",
    path: "/v2/bench/upload/blobs/uploads/",
    headers: { authorization, "content-length": 0 },
  });
  const { pathname, search } = new URL(location, `https://localhost:${registry.port}`);
  const send = async (sent) => {
    for (const piece of pieces) {
      sent.write(piece, begun);
      await delay(PIECE_MS);
    }
    sent.end();
  };
  const put = ask(registry, {
    method: "PUT",
    path: `${pathname}${search === "" ? "?" : `${search}&`}digest=sha256:${digest}`,
    headers: {
      authorization,
      "content-type": "application/octet-stream",
      "content-length": PIECES * pieces[0].length,
    },
    send,
  });
  return put.then(
    ({ status }) => status === 201,
    () => false,
  );
}

/** Requests go on all the time; `disturb` is done under them. `gapMs` is the longest time between two answers. */
async function underLoad(registry, uploads, disturb) {
  const answers = [];
  let failed = 0;
  let isOver = false;
  const read = async () => {
    while (!isOver) {
      await ask(registry, { timeout: PATIENCE_MS }).then(
        () => answers.push(performance.now()),
        () => {
          failed += 1;
        },
      );
      await delay(5);
    }
  };
  const readers = Array.from({ length: READERS }, read);
  let taken;
  try {
    const under = Array.from({ length: uploads }, () => {
      let done;
      const begun = new Promise((resolve, reject) => {
        done = upload(registry, resolve);
        done.catch(reject);
      });
      return { begun, done };
    });
    await Promise.all([delay(300), ...under.map(({ begun }) => begun)]);
    await disturb();
    taken = await Promise.all(under.map(({ done }) => done));
    const before = answers.length;
    const patience = AbortSignal.timeout(30_000);
    while (answers.length < before + READERS) await delay(10, undefined, { signal: patience });
  } finally {
    isOver = true;
    await Promise.all(readers);
  }
  const gapMs = Math.max(...answers.slice(1).map((time, index) => time - answers[index]));
  return { gapMs, failed, lost: taken.filter((isTaken) => !isTaken).length, requests: answers.length + failed };
}

export const renew = {
  needs: ["engine", "skopeo"],
  async measure({ rounds }) {
    return withDeployment(async (place) => {
      await place.init();
      await place.push();
      const login = JSON.parse(await readFile(join(place.env.HOME, "auth.json"), "utf8"));
      const [{ auth }] = Object.values(login.auths);
      const registry = { port: place.port, ca: await readFile(place.caFile), auth };
      const ways = {
        renew: () => place.regctl(["certs", "renew", "-q"]),
        restart: () => place.docker(["restart", `${place.name}-registry-1`]),
      };
      const row = async (what, uploads) => {
        const lost = { renew: 0, restart: 0 };
        const contestant = (way) => async () => {
          const one = await underLoad(registry, uploads, ways[way]);
          lost[way] += one.lost;
          return one;
        };
        const found = await interleave(rounds.few, { renew: contestant("renew"), restart: contestant("restart") });
        const text = (way) => {
          const { gapMs, failed, requests } = found[way];
          const broken = uploads === 0 ? "" : `, ${lost[way]} of ${uploads * (rounds.few + 1)} uploads failed`;
          return `${milliseconds(gapMs)} without an answer, ${Math.round(failed)} of ${Math.round(requests)} requests failed${broken}`;
        };
        const ratio = found.renew.gapMs / found.restart.gapMs;
        return { what, ours: text("renew"), other: `docker restart: ${text("restart")}`, ratio };
      };
      const seconds = (PIECES * PIECE_MS) / 1000;
      return {
        rows: [
          await row(`certs renew under ${READERS} clients that ask all the time`, 0),
          await row(`the same, with ${UPLOADS} uploads of ${seconds} s under way`, UPLOADS),
        ],
      };
    });
  },
};
