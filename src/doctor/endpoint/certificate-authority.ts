import { isSelfSigned } from "../../pki/chain.ts";
import { oneLine } from "../../pki/describe.ts";
import { type ChainPath, lintPath, nameOf, pathOf, plainAnchor } from "../chain-path.ts";
import type { Check } from "../check.ts";
import { broken } from "../diagnosis.ts";
import type { ChainFacts, EndpointFacts } from "../endpoint-facts.ts";
import { targetName } from "../target.ts";
import { lacksIntermediate } from "./certificate-chain.ts";

/** OpenSSL's verdicts that other checks explain: dates. */
const DATES = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"]);

function whoSigned({ leaf, top }: ChainPath, { given }: ChainFacts): string {
  const known = given.length === 0 ? "this machine trusts" : `clients were given: ${given.map(nameOf).join(" / ")}`;
  if (given.some((one) => one.subject === top.issuer && !isSelfSigned(top)))
    return `${nameOf(leaf)} was signed by another CA with the same name as the one ${known}; the CA was made anew since`;
  if (isSelfSigned(leaf)) return `the certificate ${nameOf(leaf)} is signed by itself and not among what ${known}`;
  const intermediate = isSelfSigned(top) ? "" : " (nor did the server send it, should it be an intermediate)";
  return `the certificate was signed by ${oneLine(top.issuer)}, which is not among the CAs ${known}${intermediate}`;
}

export const certificateAuthority: Check<EndpointFacts> = {
  id: "certificate-authority",
  title: "the certificate is from a CA that this client knows",
  async examine({ chain, target }) {
    const path = chain === undefined ? undefined : pathOf(chain);
    const distrust = chain?.distrust;
    if (chain === undefined || path === undefined || distrust === undefined || DATES.has(distrust)) return undefined;
    if (lacksIntermediate(chain) || path.hiddenSigner !== undefined || plainAnchor(chain) !== undefined)
      return undefined;
    const name = targetName(target);
    const isKnown = isSelfSigned(path.top) && chain.given.some((one) => one.fingerprint256 === path.top.fingerprint256);
    // What is wrong with a certificate of that CA is said by the check that knows it.
    if (isKnown && lintPath(path).some(({ severity }) => severity === "error")) return undefined;
    if (isKnown)
      return broken(
        `OpenSSL refuses the certificate although it is from the CA given: ${distrust}`,
        "see which rule is broken: openssl verify -x509_strict -CAfile ca.crt -untrusted chain.crt domain.crt",
        "on the registry's host: `regctl certs renew`",
      );
    return broken(
      `${whoSigned(path, chain)}: "certificate signed by unknown authority"`,
      "on the registry's host: get the CA it uses now: `regctl certs ca > ca.crt`",
      `on this machine: install -D -m 644 ca.crt /etc/docker/certs.d/${name}/ca.crt (docker and podman, no restart); for curl, git and python also /usr/local/share/ca-certificates/${target.host}.crt and update-ca-certificates`,
      `then look again: regctl doctor --from-client ${name} --ca ca.crt`,
    );
  },
};
