/** What a kit that ran says: a line of tab-separated fields for every event (`--porcelain`). */
import { shownText } from "../shown-name.ts";

/** `verdict` kinds tell what a client sees; the others what was done. */
export const VERDICTS = ["ok", "warning", "broken", "unknown"] as const;
export type TrustVerdict = (typeof VERDICTS)[number];

export interface KitEvent {
  /** `change`, `plan`, `same`, `note`, `skip`, `restart`, `list`, `error`, or a verdict. Further ones may come. */
  readonly kind: string;
  readonly client: string;
  readonly text: string;
  /** The exact command or edit; undefined = there is none. */
  readonly fix: string | undefined;
}

export interface TrustCheck {
  readonly client: string;
  readonly verdict: TrustVerdict;
  readonly cause: string;
  readonly fix: string | null;
}

/** Lines that are no event (a login shell's greeting) are left out. */
export function parseEvents(output: string): KitEvent[] {
  return output.split("\n").flatMap((line) => {
    const [kind = "", client = "", text, fix = ""] = line.split("\t");
    if (text === undefined || !/^[a-z]+$/.test(kind) || !/^[a-z-]+$/.test(client)) return [];
    return [{ kind, client, text: shownText(text), fix: fix === "" ? undefined : shownText(fix) }];
  });
}

function isVerdict(kind: string): kind is TrustVerdict {
  return (VERDICTS as readonly string[]).includes(kind);
}

/** The events that are verdicts. */
export function checksOf(events: readonly KitEvent[]): TrustCheck[] {
  return events.flatMap(({ kind, client, text, fix }) =>
    isVerdict(kind) ? [{ client, verdict: kind, cause: text, fix: fix ?? null }] : [],
  );
}

const WORDS: Readonly<Record<string, string>> = {
  ok: "trusted: ",
  broken: "NOT TRUSTED: ",
  warning: "warning: ",
  unknown: "",
  error: "failed: ",
};

export function renderEvents(events: readonly KitEvent[]): string {
  return events
    .map(({ kind, client, text, fix }) =>
      [`${client}: ${WORDS[kind] ?? ""}${text}`, ...(fix === undefined ? [] : [`  fix: ${fix}`])].join("\n"),
    )
    .join("\n");
}
