/** The first thing anybody does: a fresh clone on a bare Debian, to the first push. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endsStep, stepsBetween } from "./init.js";
import { CACHE } from "./machine.js";
import { run } from "./measure.js";
import { milliseconds } from "./report.js";

const MACHINE = fileURLToPath(new URL("fresh-machine.sh", import.meta.url));
const BEGIN = "bench: begin";
const END = "bench: pushed";

/** The README's first command as it stands there; then what its closing block says, by the password it shows. */
const SCRIPT = `
set -eu
cd /root/regctl
echo "${BEGIN}" >&2
bin/regctl init --yes | tee /root/closing-block
mkdir -p /etc/docker/certs.d/localhost:5000
cp registry/certs/ca.crt /etc/docker/certs.d/localhost:5000/ca.crt
sed -n 's/^Password: *\\([^ ]*\\).*/\\1/p' /root/closing-block |
  docker login localhost:5000 -u admin --password-stdin >/dev/null 2>&1
image=$(docker images regctl/registry --format '{{.Repository}}:{{.Tag}}' | head -n 1)
docker tag "$image" localhost:5000/hello
docker push --quiet localhost:5000/hello >/dev/null
echo "${END}" >&2
`;

export const fresh = {
  needs: ["root", "debootstrap"],
  async measure() {
    const parent = await mkdtemp(join(tmpdir(), "regctl-bench-fresh-"));
    const stamps = [];
    let startedMs;
    try {
      await run(MACHINE, [join(parent, "root"), "bash", "-c", SCRIPT], {
        env: { REGCTL_TEST_CACHE: CACHE },
        onLine: (line) => {
          if (line === BEGIN) startedMs = performance.now();
          else if (startedMs !== undefined) stamps.push([line, performance.now()]);
        },
      });
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
    const end = stamps.findIndex(([line]) => line === END);
    const steps = stamps.slice(0, end).filter(([line]) => endsStep(line));
    const seconds = stepsBetween(startedMs, [...steps, ["login and push by docker", stamps[end][1]]]);
    return {
      rows: [
        {
          what: "fresh clone to the first push, Debian 12 with Node and no engine: `bin/regctl init --yes`, `docker push`",
          ours: milliseconds(stamps[end][1] - startedMs),
        },
      ],
      steps: [{ title: "fresh clone to the first push", seconds }],
    };
  },
};
