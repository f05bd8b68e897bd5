/** From nothing but an image to the first push, and how much of that is the engine's part. */
import { withDeployment } from "./deployment.js";
import { interleave, median } from "./measure.js";
import { milliseconds, ratioRow } from "./report.js";

const LIMIT_MS = 10_000;
const ENGINE_LIMIT = 1.5;

/** Lines that end a step: `  ok start container …`, and the first ones of a fresh clone. */
export const endsStep = (line) => /^( {2}(ok|failed) |regctl: )/.test(line);

/** The seconds between progress lines, each named by the line that ends it. */
export function stepsBetween(startMs, stamps) {
  let before = startMs;
  return stamps.map(([line, atMs]) => {
    const seconds = (atMs - before) / 1000;
    before = atMs;
    const name = line
      .trim()
      .replace(/^(ok |regctl: )/, "")
      .replace(/\s+(\(\d+\.\d s\)|… \d+\.\d s)$/, "");
    return [name, seconds];
  });
}

async function initToPush(place) {
  await place.remove();
  const stamps = [];
  const started = performance.now();
  await place.init({ onLine: (line) => endsStep(line) && stamps.push([line, performance.now()]) });
  await place.push();
  stamps.push(["push by skopeo", performance.now()]);
  return { totalMs: performance.now() - started, seconds: stepsBetween(started, stamps) };
}

export const init = {
  needs: ["engine", "compose", "skopeo", "curl"],
  async measure({ rounds }) {
    return withDeployment(async (place) => {
      const runs = [];
      for (let round = 0; round < rounds.few; round++) runs.push(await initToPush(place));
      const typical = median(runs.map(({ totalMs }) => totalMs));
      const [closest] = runs.toSorted((a, b) => Math.abs(a.totalMs - typical) - Math.abs(b.totalMs - typical));

      const url = `https://localhost:${place.port}/v2/`;
      const untilServing = `until curl --silent --output /dev/null --cacert ${place.caFile} ${url}; do sleep 0.02; done`;
      const afterDown = (up) => async () => {
        await place.regctl(["down"]);
        return up();
      };
      const times = await interleave(rounds.few, {
        regctl: afterDown(() => place.regctl(["up"])),
        compose: afterDown(() => place.compose(["up", "-d", "--wait"])),
        composeServing: afterDown(() => place.shell(`docker compose up -d && ${untilServing}`)),
      });
      return {
        rows: [
          {
            what: "`regctl init` to the first push over TLS, image present",
            ours: milliseconds(typical),
            limit: milliseconds(LIMIT_MS),
            met: typical <= LIMIT_MS,
          },
          ratioRow(
            "its engine part: `regctl up` after `regctl down`",
            times.regctl,
            "`docker compose up -d --wait`",
            times.compose,
            ENGINE_LIMIT,
          ),
          ratioRow(
            "the same against compose without its health check",
            times.regctl,
            "`docker compose up -d`, then until `/v2/` answers",
            times.composeServing,
          ),
        ],
        steps: [{ title: "`regctl init` to the first push, a typical run", seconds: closest.seconds }],
      };
    });
  },
};
