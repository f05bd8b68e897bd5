/** What `doctor` says of an endpoint, in this process. */
import { createContext } from "../../src/context.ts";
import {
  type DoctorReport,
  type EndpointSubject,
  endpointSubject,
  examineEndpoint,
} from "../../src/operations/doctor.ts";
import { Secret } from "../../src/secret.ts";
import { surroundingsFor } from "./surroundings.ts";

export interface Look {
  /** PEM. */
  readonly ca?: string;
  readonly user?: string;
  readonly password?: string;
  readonly etc?: string;
  /** For one answer. */
  readonly seconds?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const GLOBALS = { json: false, quiet: false, verbose: false, debug: false, yes: false, input: false, color: false };

/** A client of nobody's: no variables, an empty home, no settings. */
export async function look(text: string, given: Look = {}): Promise<DoctorReport> {
  const { signal } = new AbortController();
  const environment = { HOME: "/nonexistent", ...given.environment };
  const globals = given.seconds === undefined ? GLOBALS : { ...GLOBALS, timeout: given.seconds };
  const context = createContext(globals, surroundingsFor({ environment }), signal);
  const { user, password = "" } = given;
  const subject: Omit<EndpointSubject, "target"> = {
    authorityPem: given.ca,
    login: user === undefined ? undefined : { username: user, password: new Secret(password) },
    etc: given.etc ?? "/nonexistent",
  };
  return examineEndpoint(context, endpointSubject(text, subject));
}

/** Ids of what is broken or warned of, and causes, as `id: cause`. */
export function findings({ checks }: DoctorReport): string[] {
  return checks
    .filter(({ verdict }) => verdict === "broken" || verdict === "warning")
    .map(({ id, verdict, cause }) => `${verdict} ${id}: ${cause}`);
}

/** Ids of what could not be looked at. */
export function notSeen({ checks }: DoctorReport): string[] {
  return checks.filter(({ verdict }) => verdict === "unknown").map(({ id }) => id);
}
