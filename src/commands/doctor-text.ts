/** The report of `doctor` for people: what is wrong first, each with its cause and fix. */
import type { Examined } from "../doctor/run-checks.ts";
import type { DoctorReport } from "../operations/doctor.ts";
import { shownText } from "../shown-name.ts";

const SHOWN_AS: Readonly<Record<Examined["verdict"], string>> = {
  broken: "BROKEN",
  warning: "WARNING",
  unknown: "UNKNOWN",
  ok: "ok",
};

function indented(label: string, text: string): string {
  const [first = "", ...others] = text.split("\n");
  return [`  ${label}: ${first}`, ...others.map((line) => `       ${line}`)].join("\n");
}

/** Checks that say the very same thing, as those that one obstacle kept from looking, are told once. */
function finding(alike: readonly Examined[]): string {
  const [{ verdict, cause, fix, repair }] = alike as [Examined];
  return [
    `${SHOWN_AS[verdict]}  ${alike.map(({ id }) => id).join(", ")}`,
    `  ${cause}`,
    indented("fix", fix),
    ...(repair === undefined ? [] : ["  `regctl doctor --fix` does it"]),
  ].join("\n");
}

function summary(checks: readonly Examined[]): string {
  const count = (verdict: Examined["verdict"]) => checks.filter((one) => one.verdict === verdict).length;
  const warnings = count("warning");
  const parts = [
    [count("broken"), "broken"],
    [warnings, warnings === 1 ? "warning" : "warnings"],
    [count("unknown"), "not looked at"],
    [count("ok"), "in order"],
  ] as const;
  return parts
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`)
    .join(", ");
}

/** With `verbose` also what is in order. */
export function renderExamined(
  { url, checks, clientCertificate }: DoctorReport,
  { verbose }: { readonly verbose: boolean },
): string {
  const order = ["broken", "warning", "unknown"] as const;
  const found = order.flatMap((verdict) => checks.filter((one) => one.verdict === verdict));
  const alike = new Map<string, Examined[]>();
  for (const one of found) {
    const key = JSON.stringify([one.verdict, one.cause, one.fix]);
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  const good = verbose ? checks.filter(({ verdict }) => verdict === "ok") : [];
  return [
    `${url}: ${summary(checks)}`,
    ...(clientCertificate === null ? [] : [`client certificate shown: ${shownText(clientCertificate)}`]),
    ...[...alike.values()].map((group) => `\n${finding(group)}`),
    ...(good.length === 0 ? [] : ["", ...good.map(({ id, title }) => `ok  ${id}: ${title}`)]),
  ].join("\n");
}
