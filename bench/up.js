/** `up` where nothing has to be done. */
import { withDeployment } from "./deployment.js";
import { interleave } from "./measure.js";
import { ratioRow } from "./report.js";

const LIMIT = 1.5;

export const upNoop = {
  needs: ["engine", "compose"],
  async measure({ rounds }) {
    return withDeployment(async (place) => {
      await place.init();
      const times = await interleave(rounds.many, {
        regctl: () => place.regctl(["up"]),
        compose: () => place.compose(["up", "-d"]),
      });
      const agreed = (await place.regctl(["up"])).stdout.includes("no changes");
      if (!agreed) throw new Error("regctl and compose disagree about what runs: this did not measure nothing to do");
      return {
        rows: [
          ratioRow(
            "`regctl up`, nothing to do",
            times.regctl,
            "`docker compose up -d`, nothing to do",
            times.compose,
            LIMIT,
          ),
        ],
      };
    });
  },
};
