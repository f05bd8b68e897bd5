/** Every check that looks at a registry from a client, in the order of what depends on what. */
import type { Check } from "./check.ts";
import type { EndpointFacts } from "./endpoint-facts.ts";

export const endpointChecks: readonly Check<EndpointFacts>[] = [];
