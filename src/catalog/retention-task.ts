/** Reading what retention goes by, shared by threads. */
import type { Phase } from "../storage/team.ts";
import { type RepositoryFacts, retentionFacts, type WantedFacts } from "./retention-facts.ts";

/** What the threads of a team import. */
export const taskUrl = import.meta.url;

export interface FactsInput {
  readonly root: string;
  readonly wanted: readonly WantedFacts[];
}

/** An item is a repository. */
export const readFacts: Phase<FactsInput, RepositoryFacts[]> = function* ({ root, wanted }, next) {
  const facts: RepositoryFacts[] = [];
  for (let item = next(); item >= 0; item = next()) {
    facts.push(retentionFacts(root, wanted[item] as WantedFacts));
    yield;
  }
  return facts;
};
