import type { Secret } from "../secret.ts";

/** Whom requests are made as. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: Secret;
  /** An OAuth identity token takes the place of the password. */
  readonly isIdentityToken?: boolean | undefined;
}

/** The Authorization header of RFC 7617. */
export function basicAuthorization({ username, password }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}
