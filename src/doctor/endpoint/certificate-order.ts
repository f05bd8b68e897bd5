import type { X509Certificate } from "node:crypto";
import { isSame, isSelfSigned } from "../../pki/chain.ts";
import { standsFor } from "../../pki/cross.ts";
import { nameOf, pathOf } from "../chain-path.ts";
import type { Check } from "../check.ts";
import { broken, warning } from "../diagnosis.ts";
import type { EndpointFacts } from "../endpoint-facts.ts";

const FIX =
  "on the registry's host: send the certificate first, then each issuer of the one before, no root: cat domain.crt intermediate.crt";

export const certificateOrder: Check<EndpointFacts> = {
  id: "certificate-order",
  title: "the certificates are sent in order, and none besides",
  async examine({ chain }) {
    const found = chain === undefined ? undefined : pathOf(chain);
    if (chain === undefined || found === undefined) return undefined;
    const [leaf, ...others] = chain.sent;
    if (leaf?.ca === true && others.some((one) => !one.ca))
      return broken(`the first certificate sent is the CA ${nameOf(leaf)}, not the server's own`, FIX);
    const isOnPath = (one: X509Certificate) => found.path.some((link) => isSame(link, one));
    // Its own root at the end is of no use and does no harm.
    const sent = chain.sent.filter((one, index) => index === 0 || !isSelfSigned(one) || !isOnPath(one));
    // A cross certificate, as during a rollover, is for clients that know another root than the one given here.
    const isOfUse = (one: X509Certificate) => isOnPath(one) || found.path.some((link) => standsFor(one, link));
    const surplus = sent.filter((one) => !isOfUse(one));
    if (surplus.length > 0 && found.hiddenSigner === undefined)
      return warning(
        `the server sends certificates that have nothing to do with its own: ${surplus.map(nameOf).join(" / ")}; old clients stop at them`,
        FIX,
      );
    const expected = found.path.filter((link) => sent.some((one) => isSame(one, link)));
    if (expected.every((link, index) => isSame(link, sent[index] ?? leaf ?? link))) return undefined;
    return warning(
      `the server sends its certificates out of order (${sent.map(nameOf).join(" / ")}); TLS 1.2 asks for each issuer right behind what it signed`,
      FIX,
    );
  },
};
