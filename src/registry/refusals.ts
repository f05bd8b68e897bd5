/** What a registry means by a status and its codes (distribution specification, "Error codes"). */
import type { RegctlError } from "../errors.ts";
import { parseChallenges } from "./challenge.ts";
import { type Deed, type FailureReason, failure } from "./errors.ts";
import type { Answer } from "./transport.ts";

interface SpokenError {
  readonly code: string;
  readonly message: string;
}

const LONGEST_WORDS = 200;

/** The errors of an answer in the specification's form; empty for any other body. */
export function spokenErrors({ body }: Answer): SpokenError[] {
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as { errors?: unknown };
    if (!Array.isArray(errors)) return [];
    return errors.slice(0, 5).flatMap((entry: unknown) => {
      const { code, message } = (entry ?? {}) as { code?: unknown; message?: unknown };
      if (typeof code !== "string" || !/^[A-Z][A-Z_]{1,63}$/.test(code)) return [];
      return [{ code, message: typeof message === "string" ? printable(message) : "" }];
    });
  } catch {
    return [];
  }
}

/** Without control characters, which could rewrite a terminal, and not longer than a line or two. */
export function printable(text: string): string {
  const plain = text.replace(/\p{C}+/gu, " ").trim();
  return plain.length > LONGEST_WORDS ? `${plain.slice(0, LONGEST_WORDS)}…` : plain;
}

/** Translates an answer nobody expected; `username` is whom the request was made as. */
export function refusal(deed: Deed, answer: Answer, username: string | undefined): RegctlError {
  const { status } = answer;
  const errors = spokenErrors(answer);
  const codes = errors.map((error) => error.code);
  const { host } = deed;
  const words = errors.map(({ code, message }) => (message === "" ? code : `${message} (${code})`)).join("; ");
  const because = words === "" ? "" : `: ${words}`;
  const say = (reason: FailureReason, why: string, hint: string) => failure(deed, reason, why, { hint, status, codes });

  const isDenied = parseChallenges(answer.headers["www-authenticate"]).some(
    ({ parameters }) => parameters.error === "insufficient_scope",
  );
  if (status === 401 && !isDenied) {
    const why = username === undefined ? `${host} wants a user and password` : `${host} does not let ${username} in`;
    return say("unauthorized", why, `log in: \`docker login ${host}\``);
  }
  if (status === 401 || status === 403) {
    const hint = `log in as someone who may: \`docker login ${host}\``;
    return say("denied", `${host} does not allow ${username ?? "everybody"} to${because}`, hint);
  }
  if (status === 404) {
    if (codes.length > 0) return say("not-found", words, "see what there is: `regctl repos`");
    return say("protocol", `${host} knows no such address (404)`, `see whether a registry answers: ${curl(deed)}`);
  }
  if (status === 405) {
    const isSpoken = codes.includes("UNSUPPORTED");
    return isSpoken
      ? say(
          "unsupported",
          `${host} does not delete, or only caches another registry${because}`,
          "set registry.storage.delete.enabled to true in regctl.yaml, then run `regctl up`",
        )
      : say(
          "unsupported",
          `${host} takes no changes (405): it is read-only, or only caches another registry`,
          "set registry.storage.maintenance.readonly.enabled to false in regctl.yaml, then run `regctl up`",
        );
  }
  if (status === 429) {
    const seconds = retryAfterMs(answer, 0) / 1000;
    const when = seconds > 0 ? `try again in ${Math.ceil(seconds)} seconds` : "try again later";
    return say("rate-limit", `${host} is asked too often${because}`, when);
  }
  if (status >= 500) return say("server", `${host} failed with status ${status}${because}`, "see why: `regctl logs`");
  if (status === 400 && codes.length === 0 && !deed.isTls && /HTTPS/.test(answer.body.toString("latin1", 0, 2_000))) {
    return say("scheme", `${host} serves HTTPS and was asked over HTTP`, `name it as https://${host}`);
  }
  if (status >= 300 && status < 400) {
    return say("redirect", `${host} sends us elsewhere (${status})`, `see where to: ${curl(deed)}`);
  }
  return say("refused", `${host} answered ${status}${because}`, `see what answers there: ${curl(deed)}`);
}

function curl({ isTls, host }: Deed): string {
  return `\`curl -i ${isTls ? "https" : "http"}://${host}/v2/\``;
}

/** The Retry-After of an answer (RFC 9110 §10.2.3: seconds or a date) in milliseconds; 0 without one. */
export function retryAfterMs({ headers }: Pick<Answer, "headers">, nowMs: number = Date.now()): number {
  const text = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Z][a-z]{2},/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}
