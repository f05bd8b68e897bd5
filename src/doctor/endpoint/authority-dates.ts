import { isSelfSigned } from "../../pki/chain.ts";
import { nameOf, pathOf } from "../chain-path.ts";
import type { Check } from "../check.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { datesOf } from "./certificate-dates.ts";

const DAY_MS = 86_400_000;
/** A new CA has to reach every client. */
const ROOT_SOON_MS = 365 * DAY_MS;
const INTERMEDIATE_SOON_MS = 30 * DAY_MS;

export const authorityDates: Check<EndpointFacts> = {
  id: "authority-dates",
  title: "the CA and its intermediates are valid now and for a while",
  async examine(facts) {
    const path = facts.chain === undefined ? undefined : pathOf(facts.chain);
    for (const certificate of path?.path.slice(1) ?? []) {
      const isRoot = isSelfSigned(certificate);
      const found = datesOf(
        facts,
        certificate,
        `the ${isRoot ? "CA" : "intermediate"} ${nameOf(certificate)}`,
        isRoot ? ROOT_SOON_MS : INTERMEDIATE_SOON_MS,
        isRoot
          ? [
              "on the registry's host: `regctl certs rollover` makes a new CA that old clients still accept; then give it to every client",
            ]
          : ["on the registry's host: get the CA's present intermediate and put it behind the certificate"],
      );
      if (found !== undefined) return found;
    }
    return undefined;
  },
};
