/** The way from an endpoint's certificate to what signed it, and what strict clients say of each step. */
import type { X509Certificate } from "node:crypto";
import { buildChain, hasSignatureOf, isSame, isSelfSigned } from "../pki/chain.ts";
import { oneLine } from "../pki/describe.ts";
import type { Finding } from "../pki/finding.ts";
import { lintAuthority, lintLeaf, lintLink } from "../pki/lint.ts";
import type { Check, Diagnosis } from "./check.ts";
import { broken, warning } from "./diagnosis.ts";
import type { ChainFacts, EndpointFacts } from "./endpoint-facts.ts";

export interface ChainPath {
  readonly leaf: X509Certificate;
  /** From the leaf up, as far as its issuers are at hand. */
  readonly path: readonly X509Certificate[];
  readonly top: X509Certificate;
  /** Signed `top`, and clients do not see that: a key identifier or a name says otherwise. */
  readonly hiddenSigner?: X509Certificate;
}

/** undefined when no certificate was sent. */
export function pathOf({ sent, given }: ChainFacts): ChainPath | undefined {
  const [leaf, ...others] = sent;
  if (leaf === undefined) return undefined;
  const pool = [...others, ...given];
  const path = buildChain(leaf, pool);
  const top = path.at(-1) ?? leaf;
  const signer = isSelfSigned(top)
    ? undefined
    : pool.find((one) => !path.some((link) => isSame(link, one)) && hasSignatureOf(top, one));
  return { leaf, path, top, ...(signer === undefined ? {} : { hiddenSigner: signer }) };
}

/** What clients were given as the CA and is none; the server's own certificate works as its own anchor. */
export function plainAnchor({ given, sent: [leaf] }: ChainFacts): X509Certificate | undefined {
  return given.find((one) => !one.ca && leaf !== undefined && !isSame(one, leaf));
}

/** Everything `lint` says of the leaf, of each issuer at hand, and of each step. */
export function lintPath({ leaf, path, hiddenSigner }: ChainPath): Finding[] {
  const all = hiddenSigner === undefined ? path : [...path, hiddenSigner];
  const links = all.flatMap((certificate, index) => {
    const issuer = all[index + 1];
    return issuer === undefined ? [] : [...lintAuthority(issuer), ...lintLink(certificate, issuer)];
  });
  return [...lintLeaf(leaf), ...links];
}

/** A check of what `lint` finds under these codes; its errors are what clients refuse today. */
export function lintCheck(options: {
  readonly id: string;
  readonly title: string;
  readonly codes: readonly string[];
  readonly fix: (facts: EndpointFacts) => readonly string[];
}): Check<EndpointFacts> {
  const { id, title, codes, fix } = options;
  return {
    id,
    title,
    async examine(facts): Promise<Diagnosis | undefined> {
      const path = facts.chain === undefined ? undefined : pathOf(facts.chain);
      const found = path === undefined ? [] : lintPath(path).filter(({ code }) => codes.includes(code));
      if (found.length === 0) return undefined;
      const cause = [...new Set(found.map(({ message }) => message))].join("; ");
      const isRefused = found.some(({ severity }) => severity === "error");
      return (isRefused ? broken : warning)(cause, ...fix(facts));
    },
  };
}

/** What to do on the registry's host and elsewhere to have another certificate. */
export const REISSUE = [
  "on the registry's host: `regctl certs renew` issues one that every client takes",
  "for a certificate of your own: have it issued again for a TLS server, at most 825 days, SHA-256, RSA of 2048 bits or P-256",
] as const;

export function nameOf(certificate: X509Certificate): string {
  return oneLine(certificate.subject);
}
