/** How long regctl takes before it does anything. */

import { REGCTL } from "./machine.js";
import { interleave, run } from "./measure.js";
import { ratioRow } from "./report.js";

const LIMIT = 1.3;

export const startup = {
  needs: [],
  async measure({ rounds }) {
    // In a clone the first run builds.
    await run(REGCTL, ["--version"]);
    const times = await interleave(rounds.many, {
      node: () => run("node", ["-e", "0"]),
      version: () => run(REGCTL, ["--version"]),
      help: () => run(REGCTL, ["--help"]),
    });
    return {
      rows: [
        ratioRow("`regctl --version`", times.version, "`node -e 0`", times.node, LIMIT),
        ratioRow("`regctl --help`", times.help, "`node -e 0`", times.node, LIMIT),
      ],
    };
  },
};
