/** A stranger's machine to its first pull: with a kit, and with the steps that are documented for each client. */
import { randomBytes, randomInt } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withDeployment } from "./deployment.js";
import { CLIENT_ROOT } from "./machine.js";
import { interleave, run } from "./measure.js";
import { milliseconds } from "./report.js";

const NAME = "registry.bench.test";

/** What the documentation of docker, podman, Debian, Java and Node has one type, with the authority in /ca.crt. */
const byHand = (at) => [
  `mkdir -p /etc/docker/certs.d/${at}`,
  `cp /ca.crt /etc/docker/certs.d/${at}/ca.crt`,
  `mkdir -p /etc/containers/certs.d/${at}`,
  `cp /ca.crt /etc/containers/certs.d/${at}/ca.crt`,
  "cp /ca.crt /usr/local/share/ca-certificates/registry.crt",
  "update-ca-certificates",
  "keytool -importcert -noprompt -cacerts -storepass changeit -alias registry -file /ca.crt",
  "echo export NODE_EXTRA_CA_CERTS=/ca.crt >/etc/profile.d/registry.sh",
];
const withKit = ["sh /kit.sh --no-check"];
const withKitChecked = ["sh /kit.sh"];

/** A fresh overlay over Debian with every client; prints how many milliseconds the script took in it. */
const MACHINE = `
set -e
mount --make-rprivate /
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
mount --rbind /dev "$2/root/dev"
mount -t tmpfs tmpfs "$2/root/run"
cp "$2/kit.sh" "$2/ca.crt" "$2/auth.json" "$2/root/"
cp "$2/hosts" "$2/root/etc/hosts"
exec chroot "$2/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -ec "$3"
`;

async function withNetwork(work) {
  const suffix = randomBytes(3).toString("hex");
  const [name, outer, inner] = [`rb-${suffix}`, `rbo${suffix}`, `rbi${suffix}`];
  const prefix = `10.253.${randomInt(1, 255)}.${randomInt(0, 63) * 4}`.split(".");
  const address = (n) => [...prefix.slice(0, 3), Number(prefix[3]) + n].join(".");
  const ip = (...args) => run("ip", args);
  try {
    await ip("netns", "add", name);
    await ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name);
    await ip("addr", "add", `${address(1)}/30`, "dev", outer);
    await ip("link", "set", outer, "up");
    await ip("-n", name, "addr", "add", `${address(2)}/30`, "dev", inner);
    await ip("-n", name, "link", "set", inner, "up");
    await ip("-n", name, "link", "set", "lo", "up");
    return await work({ name, host: address(1) });
  } finally {
    await ip("link", "del", outer).catch(() => {});
    await ip("netns", "del", name).catch(() => {});
  }
}

async function firstPull(network, place, commands) {
  const folder = await mkdtemp(join(tmpdir(), "regctl-bench-machine-"));
  try {
    for (const [file, content] of Object.entries(place.files)) await writeFile(join(folder, file), content);
    await appendFile(join(folder, "hosts"), `127.0.0.1 localhost\n${network.host} ${NAME}\n`);
    const pull = `skopeo copy --quiet --src-authfile /auth.json docker://${place.at}/hello:1 dir:/pulled`;
    const script = [
      "began=$(date +%s%N)",
      `{\n${commands.join("\n")}\n${pull}\n} >/dev/null 2>/log || { cat /log >&2; exit 1; }`,
    ];
    const timed = [...script, "echo $((($(date +%s%N) - began) / 1000000))"].join("\n");
    const argv = [
      `--net=/run/netns/${network.name}`,
      "unshare",
      "--mount",
      "sh",
      "-c",
      MACHINE,
      "sh",
      CLIENT_ROOT,
      folder,
      timed,
    ];
    const { stdout } = await run("nsenter", argv);
    return { wallMs: Number(stdout) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const trust = {
  needs: ["engine", "skopeo", "root", "clients"],
  async measure({ rounds }) {
    return withDeployment((place) =>
      withNetwork(async (network) => {
        await place.init({ flags: ["--domain", NAME, "--san", "localhost"] });
        await place.push();
        const at = `${NAME}:${place.port}`;
        const auth = JSON.parse(await readFile(join(place.env.HOME, "auth.json"), "utf8"));
        const kit = (await place.regctl(["trust", "kit", "-q"])).stdout;
        const files = {
          "kit.sh": kit,
          "ca.crt": await readFile(place.caFile),
          "auth.json": JSON.stringify({ auths: { [at]: Object.values(auth.auths)[0] } }),
        };
        const machine = { at, files };
        const times = await interleave(rounds.few, {
          kit: () => firstPull(network, machine, withKit),
          checked: () => firstPull(network, machine, withKitChecked),
          hand: () => firstPull(network, machine, byHand(at)),
        });
        const steps = byHand(at).length;
        const row = (what, ours) => ({
          what,
          ours: `1 command, ${milliseconds(ours.wallMs)}`,
          other: `by hand: ${steps} commands, ${milliseconds(times.hand.wallMs)}`,
          ratio: ours.wallMs / times.hand.wallMs,
        });
        return {
          rows: [
            row("a stranger's machine to its first pull: docker, podman, system, Java, Node trust it", times.kit),
            row("the same, with a real request by every client afterwards", times.checked),
          ],
        };
      }),
    );
  },
};
