import { randomInt } from "node:crypto";
import { Secret } from "../secret.ts";

/** No look-alikes (0 O 1 l I), so that it can be read out and typed. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 24;

/** 24 characters, 140 bits. */
export function generatePassword(): Secret {
  return new Secret(Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(""));
}
