/**
 * htpasswd as distribution reads it (registry/auth/htpasswd/htpasswd.go): bcrypt only, `#` comments, the last entry of a
 * name wins, and ONE line without a colon locks everybody out. Lines regctl did not write are kept byte for byte.
 */
import { type Issue, RegctlError } from "../errors.ts";
import type { Secret } from "../secret.ts";

/** bcrypt reads no further; two passwords that agree up to here are the same. */
const MAX_PASSWORD_BYTES = 72;
/** Go's bufio.Scanner, which reads the file, takes no longer line. */
const MAX_LINE_BYTES = 64 * 1024;
/** Go's x/crypto/bcrypt: major version 2, any minor letter, cost 4 to 31; anything behind the 60 characters is ignored. */
const BCRYPT = /^\$2[a-z]?\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}/;

export interface Entry {
  readonly name: string;
  /** bcrypt cost of the hash: each request of this user pays it. */
  readonly cost: number;
}

interface Line {
  readonly text: string;
  readonly name: string | undefined;
  readonly hash: string | undefined;
}

function parseLine(text: string): Line {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  if (trimmed === "" || trimmed.startsWith("#") || colon === -1) return { text, name: undefined, hash: undefined };
  return { text, name: trimmed.slice(0, colon), hash: trimmed.slice(colon + 1) };
}

function lines(text: string): Line[] {
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  return all.map(parseLine);
}

/** Every line the registry would choke on or never accept, with its number; empty = all users can log in. */
export function checkHtpasswd(text: string): Issue[] {
  return lines(text).flatMap((line, index): Issue[] => {
    const number = index + 1;
    const trimmed = line.text.trim();
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    if (Buffer.byteLength(line.text) >= MAX_LINE_BYTES) {
      return [
        {
          path: "auth/htpasswd",
          line: number,
          message: "is longer than 64 KiB: the registry refuses the whole file, nobody can log in",
          hint: `delete line ${number}`,
        },
      ];
    }
    if (line.name === undefined || line.hash === undefined) {
      return [
        {
          path: "auth/htpasswd",
          line: number,
          message: "has no colon: the registry refuses the whole file, nobody can log in",
          hint: `delete line ${number}, or put # before it`,
        },
      ];
    }
    if (line.name === "")
      return [
        {
          path: "auth/htpasswd",
          line: number,
          message: "has no user name before the colon",
          hint: `delete line ${number}`,
        },
      ];
    if (!BCRYPT.test(line.hash)) {
      return [
        {
          path: "auth/htpasswd",
          line: number,
          message: `the password of ${JSON.stringify(line.name)} is not a bcrypt hash, the only kind the registry accepts`,
          hint: `regctl passwd ${line.name}`,
        },
      ];
    }
    return [];
  });
}

/** The users, in the order of the file; of a repeated name the last, as the registry does. */
export function listEntries(text: string): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { name, hash } of lines(text)) {
    if (name === undefined || name === "" || hash === undefined) continue;
    const cost = BCRYPT.exec(hash)?.[1];
    entries.set(name, { name, cost: cost === undefined ? 0 : Number(cost) });
  }
  return [...entries.values()];
}

/** Names with more than one line, of which only the last counts; in the order of the file. */
export function repeatedNames(text: string): string[] {
  const names = lines(text).flatMap(({ name }) => (name === undefined || name === "" ? [] : [name]));
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** The text with only the last line of each name; comments and what is no entry stay. */
export function withoutRepeated(text: string): string {
  const all = lines(text);
  return all
    .filter(({ name }, index) => name === undefined || all.findLastIndex((other) => other.name === name) === index)
    .map((line) => `${line.text}\n`)
    .join("");
}

export function hasEntry(text: string, name: string): boolean {
  return lines(text).some((line) => line.name === name);
}

function withFinalNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** The text with the user's entry replaced where it stands (a repeated one loses its older lines) or added at the end. */
export function upsertEntry(text: string, name: string, hash: string): string {
  const entry = `${name}:${hash}`;
  const all = lines(text);
  const last = all.findLastIndex((line) => line.name === name);
  if (last === -1) return `${withFinalNewline(text)}${entry}\n`;
  return all
    .flatMap((line, index) => (index === last ? [entry] : line.name === name ? [] : [line.text]))
    .map((line) => `${line}\n`)
    .join("");
}

/** The text without any entry of the user. */
export function removeEntry(text: string, name: string): string {
  return lines(text)
    .filter((line) => line.name !== name)
    .map((line) => `${line.text}\n`)
    .join("");
}

/** Refuses what the file format or HTTP Basic (RFC 7617: no colon, no control characters) cannot carry. */
export function checkUserName(name: string): void {
  const problem =
    name === ""
      ? "is empty"
      : name.includes(":")
        ? "holds a colon, which ends the name in htpasswd and in HTTP Basic"
        : // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
          /[\u0000-\u001f\u007f]/.test(name)
          ? "holds control characters"
          : name.startsWith("#")
            ? "begins with #, which makes its line a comment"
            : name.trim() !== name
              ? "begins or ends with a space, which the registry cuts off"
              : Buffer.byteLength(name) > 255
                ? "is longer than 255 bytes"
                : undefined;
  if (problem !== undefined) {
    throw new RegctlError("input-invalid", `the user name ${JSON.stringify(name)} ${problem}`, {
      hint: "use letters, digits, dots, dashes, for example ci-build",
    });
  }
}

export function checkPassword(password: Secret): void {
  const text = password.reveal();
  const problem =
    text === ""
      ? "is empty"
      : Buffer.byteLength(text) > MAX_PASSWORD_BYTES
        ? `is longer than ${MAX_PASSWORD_BYTES} bytes; bcrypt ignores the rest, so a shorter one would log in too`
        : text.includes("\0")
          ? "holds a NUL byte"
          : undefined;
  if (problem !== undefined)
    throw new RegctlError("input-invalid", `the password ${problem}`, {
      hint: "choose another, or leave the option out to have one generated",
    });
}

/** `$2b$…`; `cost` 5 to 14. Takes 50 ms at 10 and doubles with each step. */
export async function hashPassword(password: Secret, cost: number): Promise<string> {
  checkPassword(password);
  const { hash } = await import("bcryptjs");
  return hash(password.reveal(), cost);
}
