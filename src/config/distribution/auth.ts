import type { DistributionMajor } from "./major.ts";
import { choices, flag, section, sectionOrName, text } from "./values.ts";

const SIGNING_ALGORITHMS = [
  "EdDSA",
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
] as const;

export function authSection(major: DistributionMajor) {
  const token = {
    realm: text("URL of the token service"),
    service: text("name of this registry in tokens (aud)"),
    issuer: text("issuer that tokens must carry (iss)"),
    rootcertbundle: text("PEM certificates that tokens are verified with; read once at start"),
    autoredirect: flag("realm becomes https://<Host>/auth/token (false)"),
  };
  const token3 = {
    ...token,
    jwks: text("JWKS file, every key with a kid; read once at start"),
    signingalgorithms: choices(SIGNING_ALGORITHMS, "accepted signature algorithms (all)"),
    autoredirectpath: text("path of the automatic realm (/auth/token)"),
  };
  return section("who may use the registry: exactly one of silly, htpasswd, token, none", {
    none: sectionOrName("no authentication", {}),
    silly: section("accepts any Authorization header; development only", {
      realm: text("realm of the challenge"),
      service: text("service of the challenge"),
    }),
    htpasswd: section("users in a file of bcrypt hashes", {
      realm: text("realm of the Basic challenge"),
      path: text("htpasswd file, re-read when its modification time changes"),
    }),
    token: section("tokens from a token service", major === 2 ? token : token3),
  });
}
