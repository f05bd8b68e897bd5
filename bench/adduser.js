/** A new user, against the program that only writes the entry. */
import { join } from "node:path";
import { withDeployment } from "./deployment.js";
import { interleave, run } from "./measure.js";
import { ratioRow } from "./report.js";

const LIMIT = 1.5;
const PASSWORD = "not a password of anybody";

export const adduser = {
  needs: ["engine", "htpasswd"],
  async measure({ rounds }) {
    return withDeployment(async (place) => {
      await place.init({ flags: ["--no-start"] });
      const file = join(place.directory, "htpasswd-of-htpasswd");
      await run("touch", [file]);
      let users = 0;
      const times = await interleave(rounds.many, {
        regctl: () => place.regctl(["adduser", `user-${users++}`, "--password-stdin"], { input: PASSWORD }),
        htpasswd: () => run("htpasswd", ["-iB", "-C", "10", file, `user-${users++}`], { input: PASSWORD }),
        node: () => run("node", ["-e", "0"]),
      });
      const both = {
        wallMs: times.htpasswd.wallMs + times.node.wallMs,
        cpuMs: times.htpasswd.cpuMs + times.node.cpuMs,
      };
      return {
        rows: [
          ratioRow("`regctl adduser`, cost 10", times.regctl, "`htpasswd -B -C 10` plus `node -e 0`", both, LIMIT),
        ],
      };
    });
  },
};
