/** What is seen of a deployment from both sides is told once: by the check that knows its files and commands. */
import type { Examined } from "./run-checks.ts";

/** Check of an endpoint -> checks of a deployment that say the same, and more exactly. */
export const TOLD_BY: Readonly<Record<string, readonly string[]>> = {
  "port-open": ["container", "port"],
  "addresses-answer": ["container", "name-resolution", "hosts-file"],
  "speaks-tls": ["container", "port"],
  "answers-as-registry": ["container", "port"],
  "tls-handshake": ["container"],
  "certificate-dates": ["certificate-expiry"],
  "authority-dates": ["authority-expiry"],
  "certificate-names": ["certificate-file-names"],
  "certificate-chain": ["certificate-file-chain"],
  "certificate-order": ["certificate-file-chain"],
  "certificate-authority": ["certificate-file-chain", "certificate-served"],
  "certificate-strength": ["certificate-form"],
  "certificate-usage": ["certificate-form"],
  "certificate-lifetime": ["certificate-form"],
  "certificate-serial": ["certificate-form"],
  "authority-key-id": ["certificate-form"],
  "authority-is-ca": ["certificate-form"],
  "strict-clients": ["certificate-form"],
  "insecure-registries": ["daemon-configuration"],
  "name-resolves": ["name-resolution", "hosts-file"],
};

/** The endpoint's part without what the deployment's part found already. Pure. */
export function withoutToldBefore(deployment: readonly Examined[], endpoint: readonly Examined[]): Examined[] {
  const found = new Set(
    deployment.filter(({ verdict }) => verdict === "broken" || verdict === "warning").map(({ id }) => id),
  );
  return endpoint.filter(
    ({ id, verdict }) => verdict === "ok" || !(TOLD_BY[id] ?? []).some((other) => found.has(other)),
  );
}
