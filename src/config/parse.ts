/** regctl.yaml -> Config: read, shape, normalise, rules; every issue at once, each with its path and line. */
import { resolve } from "node:path";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type { Issue } from "../errors.ts";
import { Secret } from "../secret.ts";
import type { Config, Origin } from "./config.ts";
import {
  DEFAULT_BCRYPT_COST,
  DEFAULT_DOMAIN,
  DEFAULT_IMAGE,
  DEFAULT_PORT,
  defaultBind,
  LEAF_LIFETIME_DAYS,
  nameFromDirectory,
} from "./defaults.ts";
import { checkDistribution } from "./distribution/check.ts";
import { majorOfImage } from "./distribution/major.ts";
import { registryConfig } from "./registry-config.ts";
import { resolveRetention } from "./retention.ts";
import { KEY_RULES, RULES, type Rule } from "./rules.ts";
import { type WrittenConfig, writtenConfigSchema } from "./schema.ts";

export interface ParseInput {
  readonly text: string;
  /** Absolute folder of regctl.yaml: relative paths and the default name come from it. */
  readonly directory: string;
  /** Who the containers run as when regctl.yaml does not say. */
  readonly defaultUser: { readonly uid: number; readonly gid: number };
}

export type ParseResult =
  | { readonly config: Config; readonly origins: ReadonlyMap<string, Origin>; readonly issues: readonly [] }
  | { readonly config: undefined; readonly issues: readonly Issue[] };

type Path = readonly (string | number)[];

/** `notifications.endpoints[0].url`. */
function pathText(path: Path): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );
}

function pathKeys(text: string): Path {
  return text.split(/[.[]/).map((part) => (part.endsWith("]") ? Number(part.slice(0, -1)) : part));
}

/** The line of the deepest part of the path that the document has: for an unknown key the key itself. */
function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (pair === undefined) break;
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      if (isNode(node) && node.range) offset = node.range[0];
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function collectOrigins(
  document: Document,
  lines: LineCounter,
  value: unknown,
  path: Path,
  into: Map<string, Origin>,
): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, child] of Object.entries(value)) collectOrigins(document, lines, child, [...path, key], into);
    return;
  }
  into.set(pathText(path), { kind: "file", line: lineOf(document, lines, path) ?? 1 });
}

function resolveConfig(written: WrittenConfig, input: ParseInput, major: 2 | 3): Config {
  const [uid, gid] = written.user?.split(":").map(Number) ?? [input.defaultUser.uid, input.defaultUser.gid];
  const name = written.name ?? nameFromDirectory(input.directory);
  return {
    name,
    domain: written.domain ?? DEFAULT_DOMAIN,
    san: written.san ?? [],
    bind: written.bind ?? defaultBind(written),
    port: written.port ?? DEFAULT_PORT,
    image: written.image ?? DEFAULT_IMAGE,
    major,
    data: resolve(input.directory, written.data ?? "data"),
    user: { uid: uid ?? 0, gid: gid ?? 0 },
    tls: {
      mode: written.tls?.mode ?? "own-ca",
      lifetimeDays: written.tls?.lifetimeDays ?? LEAF_LIFETIME_DAYS,
      clientAuth: written.tls?.clientAuth ?? "off",
      clientAuthorities: (written.tls?.clientAuthorities ?? []).map((file) => resolve(input.directory, file)),
    },
    auth: {
      mode: written.auth?.mode ?? "htpasswd",
      realm: written.auth?.realm ?? name,
      bcryptCost: written.auth?.bcryptCost ?? DEFAULT_BCRYPT_COST,
    },
    insecure: written.insecure ?? false,
    retention: resolveRetention(written.retention),
    registry: written.registry ?? {},
  };
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "a map of keys",
  record: "a map of keys",
  array: "a list",
  string: "text",
  boolean: "true or false",
};

function shapeIssues(issues: readonly z.core.$ZodIssue[]): Issue[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: pathText([...path, key]),
        message: "is not a key of regctl.yaml",
        hint: "`regctl config schema` lists all of them; distribution's own keys go under registry:",
      }));
    }
    // A key that says more of its value than the type has a message of its own.
    const isOwnMessage = issue.message.startsWith("should be ");
    const type = issue.code === "invalid_type" && !isOwnMessage ? TYPE_NAMES[issue.expected] : undefined;
    if (type === undefined) return [{ path: pathText(path), message: issue.message }];
    return [{ path: pathText(path), message: `should be ${type}`, hint: "give it a value, or remove the key" }];
  });
}

/** The value without the top-level keys that have an issue. */
function without(value: unknown, issues: readonly Issue[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const bad = new Set(issues.map((issue) => pathKeys(issue.path)[0]));
  return Object.fromEntries(Object.entries(value).filter(([key]) => !bad.has(key)));
}

function checkWritten(
  written: WrittenConfig,
  input: ParseInput,
  rules: readonly Rule[],
): { config: Config; issues: Issue[] } {
  const major = majorOfImage(written.image ?? DEFAULT_IMAGE, written.distribution);
  const config = resolveConfig(written, input, major ?? 2);
  const issues = rules.flatMap((rule) => rule(config));
  if (major === undefined) {
    const message = `its tag does not say which major version of distribution ${JSON.stringify(written.image)} holds`;
    return {
      config,
      issues: [{ path: "image", message, hint: "add distribution: 2 or distribution: 3 (--distribution)" }, ...issues],
    };
  }
  // Checked as it will be rendered: a key may need another one that regctl sets.
  const nested = checkDistribution(registryConfig(config, new Secret("-")), major);
  const below = (path: string): string => (path === "" ? "registry" : `registry.${path}`);
  return { config, issues: [...issues, ...nested.map((issue) => ({ ...issue, path: below(issue.path) }))] };
}

/** Never throws on bad input; `issues` is empty exactly when there is a config. */
export function parseConfig(input: ParseInput): ParseResult {
  const lines = new LineCounter();
  const document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false });
  const withLine = (issue: Issue, path: Path): Issue => {
    const line = lineOf(document, lines, path);
    return line === undefined ? issue : { ...issue, line };
  };

  if (document.errors.length > 0) {
    return {
      config: undefined,
      issues: document.errors.map((error) => ({
        path: "",
        message: error.message,
        line: lines.linePos(error.pos[0]).line,
      })),
    };
  }
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    // An alias bomb: `yaml` refuses to expand it.
    return {
      config: undefined,
      issues: [{ path: "", message: error instanceof Error ? error.message : String(error) }],
    };
  }

  const shaped = writtenConfigSchema.safeParse(value);
  const misshapen = shaped.success ? [] : shapeIssues(shaped.error.issues);
  // The keys that are in shape are checked all the same: one correction at a time would be a tedious dialogue.
  const written = shaped.success ? shaped.data : writtenConfigSchema.safeParse(without(value, misshapen)).data;
  const checked = written === undefined ? undefined : checkWritten(written, input, shaped.success ? RULES : KEY_RULES);
  const issues = [...misshapen, ...(checked?.issues ?? [])].map((issue) => withLine(issue, pathKeys(issue.path)));
  if (checked === undefined || issues.length > 0) return { config: undefined, issues };

  const origins = new Map<string, Origin>();
  collectOrigins(document, lines, value, [], origins);
  return { config: checked.config, origins, issues: [] };
}
