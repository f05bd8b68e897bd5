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

/** `time="…" level=… msg="…"` without what says little. */
function told(line: string): string {
  const message = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
  return shownText(message).slice(0, SHOWN);
}

/** The first saying any line has, most telling first. */
export function judgeLog(lines: readonly string[]): (Saying & { readonly line: string }) | undefined {
  for (const saying of SAYINGS) {
    // A client chooses what stands in access lines and in fields.
    const line = lines.find(
      (one) => saying.says.test(/\bmsg="((?:[^"\\]|\\.)*)"/.exec(one)?.[1] ?? one) && !isAccessLine(one),
    );
    if (line !== undefined) return { ...saying, line };
  }
  return undefined;
}

function isAccessLine(line: string): boolean {
  return /^\S+ - \S+ \[/.test(line);
}

export const registryLog: Check<DeploymentFacts> = {
  id: "registry-log",
  title: "the registry has not complained since it was started",
  async examine(facts) {
    const found = judgeLog(await facts.log());
    if (found === undefined) return undefined;
    return { verdict: found.verdict, cause: `${found.means}: the registry said "${told(found.line)}"`, fix: found.fix };
  },
};
