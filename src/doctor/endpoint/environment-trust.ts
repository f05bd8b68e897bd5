import type { Check } from "../check.ts";
import { warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";
import { isPublic } from "./trust-folders.ts";

/** Added to what is trusted; the others take its place. */
const ADDING = new Set(["NODE_EXTRA_CA_CERTS"]);

const compact = (text: string): string => text.replace(/\s/g, "");

export const environmentTrust: Check<EndpointFacts> = {
  id: "environment-trust",
  title: "no variable of this shell changes what is trusted",
  async examine(facts) {
    const { chain, client, target } = facts;
    if (target.scheme === "http") return undefined;
    const given = chain?.given.map((one) => compact(one.toString())) ?? [];
    const isThere = (text: string): boolean =>
      given.some((pem) => compact(text).includes(pem.slice(0, -"-----END CERTIFICATE-----".length)));
    for (const { variable, path, text } of client.trustVariables) {
      const effect = ADDING.has(variable)
        ? "what it was to add is missing"
        : "programs of this shell that go by it trust nothing else";
      const fix = `on this machine: unset ${variable}, or add the registry's CA to that file: cat ca.crt >> ${path}`;
      if (text === undefined) return warning(`${variable} is ${path}, which cannot be read: ${effect}`, fix);
      if (!ADDING.has(variable) && given.length > 0 && !isPublic(facts) && !isThere(text))
        return warning(
          `${variable} is ${path}, which does not hold the registry's CA: ${effect}, whatever certs.d and the system's store say`,
          fix,
        );
    }
    return undefined;
  },
};
