import type { Issue } from "../../errors.ts";
import type { DistributionMajor } from "./major.ts";
import { type ConfigMap, isGiven, mapAt, type Rule } from "./rule.ts";

export const HTTP_RULES: readonly Rule[] = [certificatePair, minimumVersion, suitesWithTls13, clientAuthorities, acme];

function certificatePair(config: ConfigMap): readonly Issue[] {
  const tls = mapAt(config, "http.tls");
  if (!tls || isGiven(tls.certificate) === isGiven(tls.key)) return [];
  const missing = isGiven(tls.certificate) ? "key" : "certificate";
  return [{ path: `http.tls.${missing}`, message: "is missing: certificate and key go together" }];
}

function minimumVersion(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const minimum = mapAt(config, "http.tls")?.minimumtls;
  if (typeof minimum !== "string") return [];
  const path = "http.tls.minimumtls";
  const lower = minimum.toLowerCase();
  if (major === 3 && (lower === "tls1.0" || lower === "tls1.1")) {
    return [
      { path, message: "should be tls1.2 or tls1.3: 3.x does not start with an older one", hint: "write tls1.2" },
    ];
  }
  if (/^(tls)?v?1[.][0-3]$/.test(lower) && !/^tls1/.test(minimum)) {
    return [{ path, message: `should be tls${lower.slice(-3)}, in this form and case` }];
  }
  return [];
}

function suitesWithTls13(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const tls = mapAt(config, "http.tls");
  if (major !== 3 || tls?.minimumtls !== "tls1.3" || !isGiven(tls.ciphersuites)) return [];
  const message = "is ignored with minimumtls tls1.3: its suites cannot be chosen";
  return [{ path: "http.tls.ciphersuites", message, hint: "remove it" }];
}

function clientAuthorities(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const tls = mapAt(config, "http.tls");
  if (major !== 3 || !tls || !isGiven(tls.clientauth) || isGiven(tls.clientcas)) return [];
  const message = "is ignored without http.tls.clientcas: no client would be asked for a certificate";
  return [{ path: "http.tls.clientauth", message, hint: "add http.tls.clientcas: [/path/to/ca.crt]" }];
}

function acme(config: ConfigMap, major: DistributionMajor): readonly Issue[] {
  const tls = mapAt(config, "http.tls");
  const letsencrypt = mapAt(config, "http.tls.letsencrypt");
  if (!tls || !letsencrypt) return [];
  const path = "http.tls.letsencrypt";
  if (major === 2) {
    // https://github.com/distribution/distribution/issues/3749
    const message = "cannot work on 2.x: it speaks ACMEv1, which no server answers any more";
    return [{ path, message, hint: "remove it and give http.tls.certificate and key, or use a 3.x image" }];
  }
  const issues: Issue[] = [];
  if (isGiven(tls.certificate)) {
    const message = "and http.tls.certificate exclude each other: the registry does not start with both";
    issues.push({ path, message, hint: "keep one of them" });
  }
  if (!isGiven(letsencrypt.hosts)) {
    const message = "is required: with no hosts every certificate request is refused";
    issues.push({ path: `${path}.hosts`, message, hint: "add hosts: [registry.example.com]" });
  }
  if (!isGiven(letsencrypt.cachefile)) {
    const hint = "add cachefile: a directory that outlives the container";
    issues.push({ path: `${path}.cachefile`, message: "is required by letsencrypt", hint });
  }
  return issues;
}
