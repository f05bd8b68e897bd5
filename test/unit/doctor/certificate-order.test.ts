import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { certificateOrder } from "../../../src/doctor/endpoint/certificate-order.ts";
import type { EndpointFacts } from "../../../src/doctor/endpoint-facts.ts";
import { type CertifiedKey, createAuthority } from "../../../src/pki/authority.ts";
import { crossSign } from "../../../src/pki/cross.ts";
import { issueLeaf } from "../../../src/pki/leaf.ts";
import { normalizeHosts } from "../../../src/pki/san.ts";

const NOW = new Date();

async function look(sent: readonly string[], given: CertifiedKey) {
  const chain = {
    sent: sent.map((pem) => new X509Certificate(pem)),
    given: [new X509Certificate(given.certificatePem)],
    isGivenByHand: true,
    authorities: [given.certificatePem],
  };
  return certificateOrder.examine({ chain } as unknown as EndpointFacts);
}

it("has nothing against a cross certificate, whichever of the two authorities one knows, and names a stranger", async () => {
  // The old one ends first, and the cross certificate with it.
  const yesterday = new Date(NOW.getTime() - 86_400_000);
  const old = await createAuthority({ deploymentName: "old", now: yesterday, keyBits: 2048 });
  const successor = await createAuthority({ deploymentName: "new", now: NOW, keyBits: 2048 });
  const leaf = await issueLeaf({ authority: successor, hosts: normalizeHosts(["registry.test"]), now: NOW });
  const cross = await crossSign(old, successor.certificatePem, NOW);
  for (const known of [successor, old]) expect(await look([leaf.certificatePem, cross], known)).toBeUndefined();
  expect(await look([leaf.certificatePem, old.certificatePem], successor)).toMatchObject({
    verdict: "warning",
    cause: expect.stringContaining("nothing to do with its own"),
  });
});
