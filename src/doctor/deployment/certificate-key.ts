import { createPublicKey } from "node:crypto";
import { readPrivateKey } from "../../pki/private-key.ts";
import { FILES } from "../../project/paths.ts";
import type { Check } from "../check.ts";
import type { DeploymentFacts } from "../deployment-facts.ts";
import { newCertificate, seenCertificates } from "../seen-certificates.ts";

const PEM_BLOCK = "-----BEGIN ";

export const certificateKey: Check<DeploymentFacts> = {
  id: "certificate-key",
  title: "the key belongs to the certificate, and the registry can read it",
  async examine(facts) {
    const seen = await seenCertificates(facts);
    if (seen === undefined) return undefined;
    const { leaf, chain, config } = seen;
    const broken = (cause: string, fix = newCertificate(config)) => ({ verdict: "broken" as const, cause, fix });
    const { key } = await facts.certificates();
    if (key === undefined) return broken(`${FILES.key} is missing: the registry does not start without it`);
    const read = readPrivateKey(key, undefined);
    if (!("key" in read)) {
      const decrypt = `openssl pkey -in ${FILES.key} -out plain.key && regctl certs import ${FILES.certificate} --key plain.key`;
      return broken(`${FILES.key}: ${read.message}`, read.code === "KEY_ENCRYPTED_NO_PASSPHRASE" ? decrypt : undefined);
    }
    if (!key.includes(PEM_BLOCK)) return broken(`${FILES.key} is DER, and the registry reads PEM`);
    if (createPublicKey(read.key).equals(leaf.publicKey)) return undefined;
    const owner = chain.findIndex((certificate) => createPublicKey(read.key).equals(certificate.publicKey));
    return broken(
      owner === -1
        ? `${FILES.key} belongs to another certificate than ${FILES.certificate}: the registry does not start with them`
        : `${FILES.key} belongs to certificate ${owner + 1} of ${FILES.certificate}, and the first is the one that counts`,
      owner === -1 ? undefined : `regctl certs import ${FILES.certificate} --key ${FILES.key}`,
    );
  },
};
