/** Who may import whom, which library lives where, who reads the process: the arrows of src/README.md. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Each does one thing to the outside world and knows nothing of the others. */
const ADAPTERS = ["engine", "registry", "pki", "probe", "auth", "project", "host", "packages", "storage", "terminal"];
/** Pages of the command table. */
const PAGES = ["cli.ts", "cli-certificates.ts", "cli-storage.ts", "cli-trust.ts"];
/** The whole program is put together in these. */
const COMPOSITION = ["main.ts", ...PAGES, "command-line.ts", "completion.ts", "context.ts"];
/** Ports and plain data of rooms that anyone may name as types. */
const SHARED_TYPES = ["engine/engine.ts", "config/config.ts", "config/schema.ts", "host/command.ts"];
/** Text in, value out: arguments and settings are parsed with them. */
const PURE_PARSERS = [
  "registry/image-name.ts",
  "registry/reference.ts",
  "pki/san.ts",
  "retention/glob.ts",
  "retention/patterns.ts",
];
/** Where each library may be loaded; a folder ends with a slash. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  commander: [...PAGES, "command-line.ts", "completion.ts"],
  dockerode: ["engine/"],
  "node-forge": ["pki/"],
  bcryptjs: ["auth/"],
  "@inquirer/prompts": ["terminal/"],
  "js-yaml": ["config/", "deployment/"],
  yaml: ["config/"],
  zod: ["config/"],
  semver: ["retention/"],
};
const PROCESS_READERS = ["main.ts", "context.ts", "engine/connect.ts"];
const MAXIMUM_LINES = 300;

interface Import {
  /** A path below src (`engine/engine.ts`) or a package's name. */
  readonly target: string;
  readonly isTypeOnly: boolean;
}

/** Comments go; a `//` within a string, as in a URL, stays. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[\s;{}(),])\/\/.*$/gm, "$1");
}

function importsOf(file: string, text: string): Import[] {
  const statements = /\b(import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?["']([^"']+)["']/g;
  const calls = /(typeof\s+)?\bimport\(\s*["']([^"']+)["']/g;
  const found = [
    ...[...text.matchAll(statements)].map((match) => ({
      specifier: match[3] as string,
      isTypeOnly: match[2] !== undefined,
    })),
    ...[...text.matchAll(calls)].map((match) => ({
      specifier: match[2] as string,
      isTypeOnly: match[1] !== undefined,
    })),
  ];
  return found.map(({ specifier, isTypeOnly }) => ({
    target: specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : specifier,
    isTypeOnly,
  }));
}

const roomOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] as string) : "");

/** Files of commands/ that are verbs (the table in cli.ts loads them); the others are parts that verbs share. */
function verbsOf(sources: Readonly<Record<string, string>>): string[] {
  return PAGES.flatMap((page) => importsOf(page, sources[page] ?? "")).map((imported) => imported.target);
}

/** Why `file` may not import that file of ours, or undefined when it may. */
function forbiddenArrow(file: string, { target, isTypeOnly }: Import, verbs: readonly string[]): string | undefined {
  const from = roomOf(file);
  const to = roomOf(target);
  if (COMPOSITION.includes(file)) return undefined;
  if (COMPOSITION.includes(target)) {
    return from === "commands" && isTypeOnly && target === "context.ts"
      ? undefined
      : "nothing imports what puts the program together";
  }
  if (to === "" || (from === to && from !== "commands")) return undefined;
  if (isTypeOnly && SHARED_TYPES.includes(target)) return undefined;
  if (from === "") return "files at the top of src are for all and import no room";
  if (ADAPTERS.includes(from)) return "an adapter imports no other room";
  if (from === "config") return PURE_PARSERS.includes(target) ? undefined : "config imports pure parsers only";
  if (from === "retention") return PURE_PARSERS.includes(target) ? undefined : "retention imports pure parsers only";
  if (from === "collect" || from === "catalog") {
    const isTheirs = to === "storage" || (from === "catalog" && to === "collect") || PURE_PARSERS.includes(target);
    return isTheirs ? undefined : "collecting and the catalog are about the storage alone";
  }
  if (from === "trust") {
    return to === "pki" || isTypeOnly ? undefined : "what clients are told is worked out from values and certificates";
  }
  if (from === "doctor") {
    if (to === "operations" || to === "commands") return "a check is handed its facts";
    return to === "terminal" ? "the domain neither prints nor asks" : undefined;
  }
  if (from === "deployment" || from === "operations") {
    if (from === "deployment" && ["doctor", "trust"].includes(to)) return "what runs knows nothing of who looks at it";
    if (from === "deployment" && to === "retention") return "deployment knows nothing of retention";
    if (to === "terminal") return isTypeOnly ? undefined : "the domain neither prints nor asks";
    if (to === "operations") return "deployment does not know of operations";
    return to === "commands" ? "the domain does not know of commands" : undefined;
  }
  if (from === "commands") {
    if (to === "commands") return verbs.includes(target) ? "a command imports no other command" : undefined;
    if (isTypeOnly || ["operations", "deployment", "config"].includes(to)) return undefined;
    const isPure = PURE_PARSERS.includes(target) || target === "terminal/table.ts";
    return isPure ? undefined : "a command reaches adapters through the domain";
  }
  return `the room ${from}/ is not in this test`;
}

/** Every broken rule of a tree of sources, as `file: why`. */
function violations(sources: Readonly<Record<string, string>>): string[] {
  const found: string[] = [];
  const verbs = verbsOf(sources);
  for (const [file, source] of Object.entries(sources)) {
    const text = withoutComments(source);
    const say = (why: string): number => found.push(`${file}: ${why}`);
    for (const imported of importsOf(file, text)) {
      const { target } = imported;
      const library = Object.keys(LIBRARIES).find((name) => target === name || target.startsWith(`${name}/`));
      const places = library === undefined ? undefined : LIBRARIES[library];
      if (
        places !== undefined &&
        !places.some((place) => file === place || (place.endsWith("/") && file.startsWith(place)))
      ) {
        say(`${library} belongs to ${places.join(" and ")}`);
      }
      const isOurs = target.endsWith(".ts");
      const why = isOurs ? forbiddenArrow(file, imported, verbs) : undefined;
      if (why !== undefined) say(`${target}: ${why}`);
      if (target === "node:process" || target === "process") say("the process is read as the global `process`");
    }
    if (!PROCESS_READERS.includes(file)) {
      for (const [use] of text.matchAll(/\bprocess\.(env|argv|cwd)\b/g))
        say(`${use} is read in ${PROCESS_READERS.join(", ")} only`);
    }
    if (/\bprocess\.exit\b/.test(text)) say("process.exit cuts off what is still being written: set process.exitCode");
    const lines = source.trimEnd().split("\n").length;
    if (lines > MAXIMUM_LINES) say(`has ${lines} lines, more than ${MAXIMUM_LINES}`);
  }
  return found;
}

function sourcesBelow(folder: string): Record<string, string> {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(ROOT, folder, name), "utf8")]));
}

describe("the sources", () => {
  it("keep every rule", () => {
    const sources = sourcesBelow("src");
    expect(Object.keys(sources).length).toBeGreaterThan(20);
    expect(violations(sources)).toEqual([]);
  });
});

describe("each rule", () => {
  const TABLE = { "cli.ts": 'const verbs = () => [import("./commands/up.ts"), import("./commands/down.ts")];' };

  it.each([
    ["engine/images.ts", 'import { parseReference } from "../registry/reference.ts";', "adapter"],
    ["engine/images.ts", 'import type { Config } from "../deployment/plan.ts";', "adapter"],
    ["pki/leaf.ts", 'import { atomicWrite } from "../project/files.ts";', "adapter"],
    ["pki/leaf.ts", 'const { x } = await import("../host/disk.ts");', "adapter"],
    ["registry/client.ts", 'import { Engine } from "../engine/engine.ts";', "adapter"],
    ["registry/client.ts", 'export { Engine } from "../engine/images.ts";', "adapter"],
    ["terminal/table.ts", 'import { loadConfig } from "../config/parse.ts";', "adapter"],
    ["config/rules.ts", 'import { connect } from "../engine/connect.ts";', "pure parsers only"],
    ["deployment/apply.ts", 'import { up } from "../operations/up.ts";', "does not know of operations"],
    ["deployment/apply.ts", 'import { decide } from "../retention/decide.ts";', "knows nothing of retention"],
    [
      "retention/decide.ts",
      'import { listImages } from "../registry/client.ts";',
      "retention imports pure parsers only",
    ],
    ["commands/prune.ts", 'import { decide } from "../retention/decide.ts";', "through the domain"],
    ["operations/prune.ts", 'import Range from "semver/classes/range.js";', "semver belongs to retention/"],
    ["collect/gc.ts", 'import { listContainers } from "../engine/containers.ts";', "about the storage alone"],
    ["catalog/sizes.ts", 'import { gc } from "../operations/gc.ts";', "about the storage alone"],
    ["storage/team.ts", 'import { sweep } from "../collect/sweep.ts";', "adapter"],
    ["probe/tls.ts", 'import { lint } from "../pki/lint.ts";', "adapter"],
    ["doctor/expiry.ts", 'import { readCertificateFiles } from "../operations/certificates.ts";', "handed its facts"],
    ["doctor/expiry.ts", 'import { print } from "../terminal/output.ts";', "neither prints nor asks"],
    ["trust/docker.ts", 'import { replaceFile } from "../project/files.ts";', "from values and certificates"],
    ["deployment/plan.ts", 'import { renderKit } from "../trust/kit.ts";', "nothing of who looks at it"],
    ["deployment/apply.ts", 'import { print } from "../terminal/output.ts";', "neither prints nor asks"],
    ["operations/up.ts", 'import { up } from "../commands/up.ts";', "does not know of commands"],
    ["operations/up.ts", 'import type { Context } from "../context.ts";', "puts the program together"],
    ["commands/up.ts", 'import { down } from "./down.ts";', "no other command"],
    ["commands/up.ts", 'import { connect } from "../engine/connect.ts";', "through the domain"],
    ["commands/up.ts", 'import { createContext } from "../context.ts";', "puts the program together"],
    ["bytes.ts", 'import { parse } from "./config/parse.ts";', "import no room"],
    ["attic/old.ts", 'import { parse } from "../config/parse.ts";', "not in this test"],
    ["commands/up.ts", 'import { Command } from "commander";', "commander belongs to cli.ts"],
    ["deployment/plan.ts", 'import type Docker from "dockerode";', "dockerode belongs to engine/"],
    ["operations/certificates.ts", 'import forge from "node-forge";', "node-forge belongs to pki/"],
    ["operations/users.ts", 'const { hash } = await import("bcryptjs");', "bcryptjs belongs to auth/"],
    ["commands/init.ts", 'import { input } from "@inquirer/prompts";', "@inquirer/prompts belongs to terminal/"],
    ["operations/up.ts", 'import { dump } from "js-yaml";', "js-yaml belongs to config/ and deployment/"],
    ["deployment/compose.ts", 'import { parseDocument } from "yaml";', "yaml belongs to config/"],
    ["operations/up.ts", 'import { z } from "zod";', "zod belongs to config/"],
    ["host/disk.ts", "const home = process.env.HOME;", "process.env is read in"],
    ["cli.ts", "parse(process.argv);", "process.argv is read in"],
    ["commands/up.ts", "resolve(process.cwd());", "process.cwd is read in"],
    ["main.ts", "process.exit(1);", "process.exit cuts off"],
    ["host/disk.ts", 'import { env } from "node:process";', "global `process`"],
    ["host/disk.ts", `${"\n".repeat(300)}export const end = 1;`, "has 301 lines"],
  ])("%s: %s", (file, text, why) => {
    expect(violations({ ...TABLE, [file]: text })).toEqual([expect.stringContaining(why)]);
  });

  it.each([
    ["engine/images.ts", 'import { RegctlError } from "../errors.ts";\nimport type Docker from "dockerode";'],
    ["registry/client.ts", 'import type { Engine } from "../engine/engine.ts";'],
    ["packages/tool.ts", 'import type { RunCommand } from "../host/command.ts";'],
    [
      "commands/up.ts",
      'import { askPassword } from "./password-input.ts";\nimport type { LogLine } from "../engine/logs.ts";',
    ],
    ["config/rules.ts", 'import { parseReference } from "../registry/reference.ts";'],
    ["collect/gc.ts", 'import { blobFolder } from "../storage/layout.ts";'],
    ["catalog/sizes.ts", 'import { isBlinding } from "../collect/problems.ts";'],
    ["config/retention.ts", 'import { parseGlob } from "../retention/glob.ts";'],
    ["retention/decide.ts", 'import type { RetentionPolicy } from "../config/config.ts";'],
    ["operations/prune.ts", 'import { decide } from "../retention/decide.ts";'],
    ["doctor/expiry.ts", 'import { lintPair } from "../pki/lint.ts";\nimport { look } from "../probe/tls.ts";'],
    [
      "trust/docker.ts",
      'import { parseHost } from "../pki/san.ts";\nimport type { Config } from "../config/config.ts";',
    ],
    ["operations/trust.ts", 'import { renderKit } from "../trust/kit.ts";'],
    ["commands/prune.ts", 'import type { Verdict } from "../retention/policy.ts";'],
    ["commands/up.ts", 'import type { Context } from "../context.ts";\nimport { parseSan } from "../pki/san.ts";'],
    [
      "operations/up.ts",
      'import {\n  a,\n  b,\n} from "../deployment/plan.ts";\nimport type { Progress } from "../terminal/progress.ts";',
    ],
    ["cli.ts", 'import { Command } from "commander";\nconst up = () => import("./commands/up.ts");'],
    ["main.ts", "run(process.argv, process.env).then((code) => { process.exitCode = code; });"],
    [
      "host/disk.ts",
      '// import { up } from "../operations/up.ts";\n/* process.exit(1) */\nexport const a = "http://b";',
    ],
  ])("does not stand in the way of %s", (file, text) => {
    expect(violations({ ...TABLE, [file]: text })).toEqual([]);
  });
});
