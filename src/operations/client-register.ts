/** certs/clients.json: who was given a client certificate, and which of them are accepted. Text in, text out. */
import { RegctlError } from "../errors.ts";

/** One certificate that was given out. Append-only: a record is never removed. */
export interface ClientRecord {
  readonly name: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** Upper-case hex with colons. */
  readonly sha256: string;
  /** Times are RFC 3339. */
  readonly issued: string;
  readonly notAfter: string;
  readonly revoked: string | null;
  /** When it was seen to have ended, and its authority was left out of what the registry accepts. */
  readonly retired: string | null;
  /** The authority that signed it and nothing else, PEM. */
  readonly authority: string;
}

const TEXTS = ["name", "serial", "sha256", "issued", "notAfter", "authority"] as const;
const TIMES = ["revoked", "retired"] as const;

function isRecord(value: unknown): value is ClientRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return (
    TEXTS.every((key) => typeof record[key] === "string") &&
    TIMES.every((key) => record[key] === null || typeof record[key] === "string")
  );
}

/** The records of a register, oldest first; none for a file that is not there. Throws `precondition-failed` on damage. */
export function parseRegister(text: string | undefined): readonly ClientRecord[] {
  if (text === undefined) return [];
  try {
    const { clients } = JSON.parse(text) as { readonly clients?: unknown };
    if (Array.isArray(clients) && clients.every(isRecord)) return clients;
  } catch {
    // As any other text that is no register.
  }
  throw new RegctlError("precondition-failed", "certs/clients.json is damaged: it says which clients are accepted", {
    hint: "put it back from a backup; without it (rm certs/clients.json) every client needs a new certificate",
  });
}

export function registerText(clients: readonly ClientRecord[]): string {
  return `${JSON.stringify({ version: 1, clients }, undefined, 2)}\n`;
}

/**
 * Leaves out those that have ended: decided when the register changes, never by the mere passing of time, which would need
 * a restart. A clock that was ahead is made good by the next change.
 */
export function retireEnded(clients: readonly ClientRecord[], now: Date): ClientRecord[] {
  return clients.map((client) => {
    const isOver = new Date(client.notAfter) < now;
    return { ...client, retired: isOver ? (client.retired ?? now.toISOString()) : null };
  });
}

/** Every certificate of that name is refused from now on. */
export function revokeName(clients: readonly ClientRecord[], name: string, now: Date): ClientRecord[] {
  return clients.map((client) =>
    client.name === name && client.revoked === null ? { ...client, revoked: now.toISOString() } : client,
  );
}

/** Those whose authority the registry is given. */
export function accepted(clients: readonly ClientRecord[]): readonly ClientRecord[] {
  return clients.filter(({ revoked, retired }) => revoked === null && retired === null);
}

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._@-]{0,62}[A-Za-z0-9])?$/;

/** Throws `input-invalid`: it becomes a common name (64 characters at most), a folder's name and a line of a table. */
export function requireClientName(name: string): void {
  if (NAME.test(name)) return;
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
  throw new RegctlError("input-invalid", `${shown} cannot be the name of a client`, {
    hint: "use letters, digits and inner dots, dashes, underscores or @, at most 64: ci-runner-1, anna@example.com",
  });
}
