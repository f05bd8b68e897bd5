/** Every check that looks at a registry from a client, in the order of what depends on what. */
import type { Check } from "./check.ts";
import { unknown } from "./diagnosis.ts";
import { addressesAnswer } from "./endpoint/addresses-answer.ts";
import { answersAsRegistry } from "./endpoint/answers-as-registry.ts";
import { authorityDates } from "./endpoint/authority-dates.ts";
import { authorityIsCa } from "./endpoint/authority-is-ca.ts";
import { authorityKeyId } from "./endpoint/authority-key-id.ts";
import { certificateAuthority } from "./endpoint/certificate-authority.ts";
import { certificateChain } from "./endpoint/certificate-chain.ts";
import { certificateDates } from "./endpoint/certificate-dates.ts";
import { certificateLifetime } from "./endpoint/certificate-lifetime.ts";
import { certificateNames } from "./endpoint/certificate-names.ts";
import { certificateOrder } from "./endpoint/certificate-order.ts";
import { certificateSerial } from "./endpoint/certificate-serial.ts";
import { certificateStrength } from "./endpoint/certificate-strength.ts";
import { certificateUsage } from "./endpoint/certificate-usage.ts";
import { clientCertificate } from "./endpoint/client-certificate.ts";
import { clock } from "./endpoint/clock.ts";
import { containerdHosts } from "./endpoint/containerd-hosts.ts";
import { credentialHelper } from "./endpoint/credential-helper.ts";
import { environmentProxy } from "./endpoint/environment-proxy.ts";
import { environmentTrust } from "./endpoint/environment-trust.ts";
import { gatewayUpstream } from "./endpoint/gateway-upstream.ts";
import { http2Works } from "./endpoint/http2-works.ts";
import { insecureRegistries } from "./endpoint/insecure-registries.ts";
import { layersPresent } from "./endpoint/layers-present.ts";
import { loginChallenge } from "./endpoint/login-challenge.ts";
import { loginWorks } from "./endpoint/login-works.ts";
import { loopbackProvesNothing } from "./endpoint/loopback-proves-nothing.ts";
import { nameResolves } from "./endpoint/name-resolves.ts";
import { portOpen } from "./endpoint/port-open.ts";
import { programName } from "./endpoint/program-name.ts";
import { replicaSecret } from "./endpoint/replica-secret.ts";
import { replicaStorage } from "./endpoint/replica-storage.ts";
import { speaksTls } from "./endpoint/speaks-tls.ts";
import { storedLogin } from "./endpoint/stored-login.ts";
import { strictClients } from "./endpoint/strict-clients.ts";
import { tlsHandshake } from "./endpoint/tls-handshake.ts";
import { tlsVersion } from "./endpoint/tls-version.ts";
import { trustFolderFiles } from "./endpoint/trust-folder-files.ts";
import { trustFolderHidden } from "./endpoint/trust-folder-hidden.ts";
import { trustFolderName } from "./endpoint/trust-folder-name.ts";
import { trustFolderPairs } from "./endpoint/trust-folder-pairs.ts";
import { trustInstalled } from "./endpoint/trust-installed.ts";
import { uploadBegins } from "./endpoint/upload-begins.ts";
import { uploadLocation } from "./endpoint/upload-location.ts";
import { uploadSize } from "./endpoint/upload-size.ts";
import type { EndpointFacts } from "./endpoint-facts.ts";

type EndpointCheck = Check<EndpointFacts>;

/** Why a group of checks has nothing to look at; undefined = it has. */
type Obstacle = (facts: EndpointFacts) => string | undefined;

const noConnection: Obstacle = ({ address }) =>
  address === undefined ? "nothing answers at the registry's port" : undefined;
const noCertificate: Obstacle = (facts) =>
  noConnection(facts) ??
  (facts.target.scheme === "https" && facts.chain === undefined ? "there is no TLS, and so no certificate" : undefined);
const noAnswer: Obstacle = (facts) =>
  noConnection(facts) ?? (facts.answer === undefined ? "a registry cannot be asked there" : undefined);
const noPush: Obstacle = (facts) =>
  noAnswer(facts) ??
  (facts.upload === undefined ? `no push was tried: ${facts.uploadWithheld ?? "no answer"}` : undefined);

const noImage: Obstacle = ({ target, image, uploadWithheld }) =>
  target.repository === undefined || image !== undefined
    ? undefined
    : `the image was not looked at: ${uploadWithheld ?? "nothing answers"}`;

/** What cannot be looked at is said, not taken for being in order. */
function unless(obstacle: Obstacle, checks: readonly EndpointCheck[]): EndpointCheck[] {
  return checks.map((check) => ({
    ...check,
    examine: async (facts) => {
      const why = obstacle(facts);
      return why === undefined ? check.examine(facts) : unknown(why, "mend what is above first, then look again");
    },
  }));
}

export const endpointChecks: readonly EndpointCheck[] = [
  nameResolves,
  portOpen,
  addressesAnswer,
  loopbackProvesNothing,
  ...unless(noConnection, [speaksTls, tlsHandshake, clientCertificate]),
  ...unless(noCertificate, [
    tlsVersion,
    certificateNames,
    certificateChain,
    certificateOrder,
    certificateAuthority,
    authorityKeyId,
    authorityIsCa,
    certificateDates,
    authorityDates,
    certificateStrength,
    certificateLifetime,
    certificateUsage,
    certificateSerial,
    strictClients,
  ]),
  ...unless(noAnswer, [clock, answersAsRegistry, gatewayUpstream, http2Works, loginChallenge, loginWorks]),
  ...unless(noPush, [uploadBegins, uploadLocation, uploadSize, replicaSecret, replicaStorage]),
  ...unless(noImage, [layersPresent]),
  trustInstalled,
  trustFolderName,
  trustFolderFiles,
  trustFolderPairs,
  trustFolderHidden,
  containerdHosts,
  insecureRegistries,
  environmentTrust,
  environmentProxy,
  storedLogin,
  credentialHelper,
  programName,
];
