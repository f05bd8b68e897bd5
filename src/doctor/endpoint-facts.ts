/** What was seen of a registry from a client's side: plain values, gathered before any check looks at them. */
import type { Target } from "./target.ts";

export interface EndpointFacts {
  readonly target: Target;
}
