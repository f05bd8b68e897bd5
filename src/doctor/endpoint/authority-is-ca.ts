import { lintCheck, nameOf, plainAnchor } from "../chain-path.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const FIX = [
  "on the registry's host: the CA is what `regctl certs ca` prints; give clients that file",
  "for a CA of your own: openssl req -x509 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
];

const lint = lintCheck({ id: "", title: "", codes: ["CA_NOT_CA", "CA_KEY_USAGE"], fix: () => FIX });

export const authorityIsCa: Check<EndpointFacts> = {
  id: "authority-is-ca",
  title: "what clients were given as the CA is one",
  async examine(facts) {
    const plain = facts.chain === undefined ? undefined : plainAnchor(facts.chain);
    if (plain !== undefined && facts.chain?.distrust !== undefined)
      return broken(`${nameOf(plain)} was given as the CA and is none: it may sign nothing`, ...FIX);
    return lint.examine(facts);
  },
};
