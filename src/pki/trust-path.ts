import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { buildChain, hasSignatureOf, isIssuedBy, isSame, isSelfSigned } from "./chain.ts";
import { oneLine } from "./describe.ts";
import { errorFinding, type Finding, warningFinding } from "./finding.ts";
import { lintAuthority, lintLink } from "./lint.ts";

/** How clients get from the leaf to something they trust. */
export interface TrustPath {
  /** The leaf, then its intermediates: what the server sends. */
  readonly sent: readonly X509Certificate[];
  /** What clients have to be given; undefined when they know the issuer already, or when the path is broken. */
  readonly anchor: X509Certificate | undefined;
  readonly findings: readonly Finding[];
}

export interface TrustPathOptions {
  readonly leaf: X509Certificate;
  /** Every other certificate at hand. */
  readonly pool: readonly X509Certificate[];
  /** PEM certificates every client trusts; Node's own list unless given. */
  readonly publicRoots?: readonly string[];
}

/** Finds the path to a public root, or else to a self-signed CA in the pool, and says why if there is none. */
export function findTrustPath({ leaf, pool, publicRoots = rootCertificates }: TrustPathOptions): TrustPath {
  const chain = buildChain(leaf, pool);
  const top = chain.at(-1) ?? leaf;
  const sent = chain.length > 1 && isSelfSigned(top) ? chain.slice(0, -1) : chain;
  if (isPublic(chain, publicRoots)) return { sent, anchor: undefined, findings: [] };
  if (isSelfSigned(leaf)) {
    const message = `the certificate ${oneLine(leaf.subject)} is self-signed: every client has to trust it, and again after each renewal`;
    return { sent, anchor: leaf, findings: [warningFinding("SELF_SIGNED", message)] };
  }
  if (isSelfSigned(top)) return { sent, anchor: top, findings: lintLinks(chain) };
  return { sent, anchor: undefined, findings: [...lintLinks(chain), ...explainGap(top, pool)] };
}

function isPublic(chain: readonly X509Certificate[], publicRoots: readonly string[]): boolean {
  const issuers = new Set(chain.map((certificate) => certificate.issuer));
  const roots = publicRoots.map((pem) => new X509Certificate(pem)).filter((root) => issuers.has(root.subject));
  return chain.some((certificate) => roots.some((root) => isSame(certificate, root) || isIssuedBy(certificate, root)));
}

function lintLinks(chain: readonly X509Certificate[]): Finding[] {
  return chain.flatMap((certificate, index) => {
    const issuer = chain[index + 1];
    return issuer === undefined ? [] : [...lintAuthority(issuer), ...lintLink(certificate, issuer)];
  });
}

/** The issuer is at hand and clients would refuse the link anyway, or it is not at hand. */
function explainGap(top: X509Certificate, pool: readonly X509Certificate[]): Finding[] {
  const signer = pool.find((candidate) => !isSame(candidate, top) && hasSignatureOf(top, candidate));
  const flaws = signer === undefined ? [] : [...lintAuthority(signer), ...lintLink(top, signer)];
  if (flaws.some((finding) => finding.severity === "error")) return flaws;
  const url = /CA Issuers - URI:"?([^\s"]+)/.exec(top.infoAccess ?? "")?.[1];
  return [
    errorFinding(
      "MISSING_INTERMEDIATE",
      `the issuer of ${oneLine(top.subject)} is missing: ${oneLine(top.issuer)}`,
      url === undefined
        ? "give the issuer's certificate too: the CA bundle or full chain you received with the certificate"
        : `give the issuer's certificate too; its CA publishes it at ${url}`,
    ),
  ];
}
