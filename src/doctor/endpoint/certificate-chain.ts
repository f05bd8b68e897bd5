import { isSelfSigned } from "../../pki/chain.ts";
import { oneLine } from "../../pki/describe.ts";
import { nameOf, pathOf, plainAnchor } from "../chain-path.ts";
import type { Check } from "../check.ts";
import { broken, quoted } from "../diagnosis.ts";
import type { ChainFacts, EndpointFacts } from "../endpoint-facts.ts";

/** How CAs name what they sign servers' certificates with, in place of their root. */
const INTERMEDIATE = /intermediate|issuing|sub(?:ordinate)?[ -]?ca\b/i;

/** Whether the way up ends at a certificate whose issuer is, by all signs, an intermediate that was not sent. */
export function lacksIntermediate(chain: ChainFacts): boolean {
  const found = pathOf(chain);
  if (chain.distrust === undefined || found === undefined || found.hiddenSigner !== undefined) return false;
  const { top } = found;
  if (isSelfSigned(top) || plainAnchor(chain) !== undefined) return false;
  if (chain.given.some(({ subject }) => subject === top.issuer)) return false;
  return issuerAddress(top.infoAccess) !== undefined || INTERMEDIATE.test(top.issuer);
}

function issuerAddress(access: string | undefined): string | undefined {
  return /CA Issuers - URI:"?([^\s"]+)/.exec(access ?? "")?.[1];
}

export const certificateChain: Check<EndpointFacts> = {
  id: "certificate-chain",
  title: "the server sends its intermediate certificates",
  async examine({ chain }) {
    const found = chain === undefined ? undefined : pathOf(chain);
    if (chain === undefined || found === undefined || !lacksIntermediate(chain)) return undefined;
    const { top } = found;
    const address = issuerAddress(top.infoAccess);
    const given = chain.given.map(nameOf).join(" / ");
    const sent = chain.sent.length === 1 ? "only its own certificate" : `${chain.sent.length} certificates`;
    return broken(
      `the server sends ${sent}, and the issuer of ${nameOf(top)} is missing: ${oneLine(top.issuer)}${given === "" ? "" : `; it is not the CA clients were given (${given}) either`}. Browsers hide it, docker and curl do not`,
      address === undefined
        ? "on the registry's host: take the full chain of the CA: cat domain.crt intermediate.crt > fullchain.crt"
        : `on the registry's host: its CA publishes it at ${quoted(address)}; put it behind the certificate: cat domain.crt intermediate.crt > fullchain.crt`,
      "then `regctl certs import --cert fullchain.crt --key domain.key`; in nginx ssl_certificate fullchain.crt",
      ...(given === "" ? [] : [`if ${oneLine(top.issuer)} is the CA itself, clients have to be given that one: --ca`]),
    );
  },
};
