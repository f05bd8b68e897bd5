/** What a deployment takes while nobody uses it. */
import { readdirSync, readFileSync } from "node:fs";
import { withDeployment } from "./deployment.js";

const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Resident bytes of a process; 0 when it is gone. */
function residentBytes(pid) {
  try {
    const [, kilobytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return 0;
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The engine's own processes for one container: its shim, and a proxy for each published address. */
function processesFor(id, port) {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const line = commandLine(pid);
      return (
        (line.includes("containerd-shim") && line.includes(id)) ||
        (line.includes("docker-proxy") && line.includes(`-host-port ${port} `))
      );
    });
}

export const memory = {
  needs: ["engine", "skopeo"],
  async measure() {
    return withDeployment(async (place) => {
      await place.init();
      await place.push();
      const inspect = (format) =>
        place.docker(["inspect", "--format", format, `${place.name}-registry-1`]).then(({ stdout }) => stdout.trim());
      const [id, pid] = [await inspect("{{.Id}}"), await inspect("{{.State.Pid}}")];
      const { stdout } = await place.docker(["stats", "--no-stream", "--format", "{{.MemUsage}}", id]);
      const around = processesFor(id, place.port).reduce((sum, each) => sum + residentBytes(each), 0);
      return {
        rows: [
          { what: "idle memory: the registry process (resident), after one push", ours: mebibytes(residentBytes(pid)) },
          { what: "idle memory: its container (`docker stats`)", ours: stdout.split(" / ")[0].replace("MiB", " MiB") },
          { what: "idle memory: the engine's processes for it (shim, port proxies)", ours: mebibytes(around) },
        ],
      };
    });
  },
};
