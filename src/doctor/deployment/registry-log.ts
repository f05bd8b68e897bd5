import { shownText } from "../../shown-name.ts";
import type { Check, Diagnosis } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";

interface Saying extends Pick<Diagnosis, "verdict" | "fix"> {
  readonly says: RegExp;
  readonly means: string;
}

const IMPORT = "put a certificate and its key there that belong together: regctl certs import CERTIFICATE --key KEY";

/** What the registry says when something is wrong with it (2.8 and 3.x), the most telling first. */
const SAYINGS: readonly Saying[] = [
  {
    says: /private key does not match public key/,
    means: "the key belongs to another certificate",
    verdict: "broken",
    fix: IMPORT,
  },
  { says: /failed to parse private key/, means: "the key is encrypted or damaged", verdict: "broken", fix: IMPORT },
  {
    says: /failed to find any PEM data/,
    means: "a certificate or key file is not PEM",
    verdict: "broken",
    fix: IMPORT,
  },
  {
    says: /no space left on device/,
    means: "the disk is full",
    verdict: "broken",
    fix: "regctl gc --dry-run says what can go; df -h and df -i tell which disk",
  },
  {
    // It would make one with a user of its own, and cannot: the folder is mounted read-only.
    says: /htpasswd path .*(read-only file system|no such file)/,
    means: "auth/htpasswd is missing",
    verdict: "broken",
    fix: "regctl up makes an empty one; then: regctl adduser NAME",
  },
  {
    says: /read-only file system/,
    means: "it cannot write its images",
    verdict: "broken",
    fix: "see `dmesg` for why the disk is read-only",
  },
  {
    says: /permission denied/,
    means: "it may not read or write a file",
    verdict: "broken",
    fix: "sudo regctl up gives it what belongs to it",
  },
  {
    says: /htpasswd is missing, provisioning/,
    means: "it made a user of its own, because there was no auth/htpasswd",
    verdict: "broken",
    fix: "regctl users lists them; regctl rmuser docker; regctl adduser NAME",
  },
  {
    says: /configuration error|panic: (unable to configure|multiple storage|.*StorageDriver)/,
    means: "its configuration is refused",
    verdict: "broken",
    fix: "regctl config validate, then: regctl up",
  },
  { says: /^panic: /, means: "it panicked", verdict: "broken", fix: "regctl logs shows all it said; regctl up" },
  {
    says: /No HTTP secret provided/,
    means: "it signs uploads with a secret of its own: they end with each restart, and fail among several replicas",
    verdict: "warning",
    fix: "remove registry.http.secret from regctl.yaml, then: regctl up",
  },
  {
    says: /traces export: .*connection refused/,
    means: "it sends traces to nobody, every few seconds",
    verdict: "warning",
    fix: "docker rm -f its container, then: regctl up",
  },
];

const SHOWN = 200;

/** What the registry itself says in a line: its message, and for an error the detail. Requests are told in other fields. */
function saidIn(line: string): string {
  // Access lines, in the form of Apache's, hold nothing but what clients chose.
  if (/^\S+ - \S* ?\[/.test(line)) return "";
  if (line.startsWith("{")) {
    try {
      const { msg, "err.detail": detail } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      return [msg, detail].filter((part) => typeof part === "string").join(": ");
    } catch {
      return "";
    }
  }
  const field = (name: string): string | undefined =>
    new RegExp(`(?:^| )${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(line)?.[1];
  const message = field("msg");
  if (message === undefined) return line.startsWith("time=") ? "" : line;
  return [message, / level=error /.test(line) ? field("err.detail") : undefined]
    .filter((part) => part !== undefined)
    .join(": ");
}

/** The most telling thing it said, and what that means. Pure. */
export function judgeLog(lines: readonly string[]): (Saying & { readonly said: string }) | undefined {
  const all = lines.map(saidIn);
  for (const saying of SAYINGS) {
    const said = all.find((one) => saying.says.test(one));
    if (said !== undefined) return { ...saying, said };
  }
  return undefined;
}

export const registryLog: Check<DeploymentFacts> = {
  id: "registry-log",
  title: "the registry has not complained since it was started",
  async examine(facts) {
    const found = judgeLog(await facts.log());
    if (found === undefined) return undefined;
    const cause = `${found.means}: the registry said "${shownText(found.said).slice(0, SHOWN)}"`;
    return { verdict: found.verdict, cause, fix: found.fix };
  },
};
