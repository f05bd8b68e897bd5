/**
 * `node bench/tasks.js TASK OPTIONS`: does one piece of regctl's work with its built modules, and prints what it found and how
 * long it took as JSON. `OPTIONS` is JSON: `store` for what reads a folder, `url` and `pid` for what asks a registry.
 */
import { createHash } from "node:crypto";
import { processorMs } from "./machine.js";

const module = (path) => import(new URL(`../dist/${path}.js`, import.meta.url));

/** The rule of all plans: the 10 newest by build date. */
const RULE = { keep: "10", by: "build", protectInUse: false };
const NO_POLICY = { rules: [], protect: [], protectInUse: false };

async function context() {
  const { createContext } = await module("context");
  const flags = { json: false, quiet: true, verbose: false, debug: false, yes: true, input: false, color: false };
  const surroundings = {
    streams: process,
    environment: {},
    workingDirectory: "/",
    programName: "regctl",
    userId: process.getuid(),
    groupId: process.getgid(),
    now: () => new Date(),
  };
  return createContext(flags, surroundings, new AbortController().signal);
}

async function connect({ url }) {
  const { createRegistryApi } = await module("registry/api");
  return createRegistryApi({ url });
}

/** Lists are compared by digest. */
function summary(lines) {
  return { count: lines.length, digest: createHash("sha256").update(lines.toSorted().join("\n")).digest("hex") };
}

async function reposFromDisk({ store }, sizes) {
  const ports = await context();
  const { listRepositories } = await module("operations/repositories");
  await Promise.all(["catalog/repository-names", "catalog/repository-sizes", "catalog/catalog-task"].map(module));
  const request = { data: store, dir: undefined, api: false, login: undefined, patterns: [], sizes, order: "name" };
  return async () => summary((await listRepositories(ports, request)).repositories.map(({ name }) => name));
}

async function namesFromApi(options) {
  const api = await connect(options);
  return async () => {
    const names = [];
    for await (const name of api.catalog()) names.push(name);
    return summary(names);
  };
}

/** The product's plan, with the bytes it frees. */
async function planFromDisk({ store }) {
  const ports = await context();
  const { previewPrune } = await module("operations/prune");
  const request = { data: store, dir: undefined, flags: RULE, keepMs: 0, settleMs: undefined };
  return async () => {
    const { removed } = await previewPrune(ports, request);
    return summary(removed.flatMap(({ repository, tag }) => (tag === undefined ? [] : [`${repository}:${tag}`])));
  };
}

async function policy() {
  const [{ decide }, { policyFromFlags }] = await Promise.all([module("retention/decide"), module("retention/flags")]);
  const rules = policyFromFlags(RULE, NO_POLICY);
  /** Names of the tags that go. */
  return (repository, tags) =>
    decide(rules, repository, tags, [], Date.now(), () => undefined)
      .filter(({ keep }) => !keep)
      .map(({ tag }) => `${repository}:${tag}`);
}

/** Of the plan only what is decided about tags, as over the API. */
async function decisionFromDisk({ store }) {
  const ports = await context();
  const { policyFromFlags } = await module("retention/flags");
  const { readStore } = await module("operations/store");
  const { judge } = await module("operations/judge");
  const { repositoryNames } = await module("catalog/repository-names");
  const rules = policyFromFlags(RULE, NO_POLICY);
  return () =>
    readStore(ports, store, async (open) => {
      const verdicts = await judge(ports, open, rules, { uses: [], hosts: [] }, repositoryNames(open.store));
      return summary(
        verdicts.flatMap(({ repository, verdicts: all }) =>
          all.flatMap(({ tag, keep }) => (keep ? [] : [`${repository}:${tag}`])),
        ),
      );
    });
}

/**
 * The same decision over the API. In `folder` is what regctl remembers of digests: it is read when `remembers` is true, and
 * written afterwards. Without a folder nothing is remembered.
 */
async function decisionFromApi({ url, folder, remembers }) {
  const api = await connect({ url });
  const given = await policy();
  const { factsOverApi, loadMemory, saveMemory } = await module("operations/api-facts");
  return async () => {
    const memory = remembers ? await loadMemory(folder) : new Map();
    if (remembers && memory.size === 0) throw new Error(`nothing is remembered in ${folder}`);
    const names = [];
    for await (const name of api.catalog()) names.push(name);
    const { facts, used } = await factsOverApi(api, names, memory, () => {});
    if (folder !== undefined) await saveMemory(folder, used);
    return summary(facts.flatMap(({ repository, tags }) => given(repository, tags)));
  };
}

async function deleteOverApi({ url, repository }) {
  const api = await connect({ url });
  return async () => {
    const tags = await api.tags(repository);
    const deleted = await api.map(tags, async (tag) => {
      const head = await api.headManifest(repository, tag);
      return head === undefined ? false : api.deleteManifest(repository, head.digest);
    });
    return { tags: tags.length, deleted: deleted.filter(Boolean).length };
  };
}

const TASKS = {
  "names-disk": (options) => reposFromDisk(options, false),
  "sizes-disk": (options) => reposFromDisk(options, true),
  "names-api": namesFromApi,
  "plan-disk": planFromDisk,
  "decision-disk": decisionFromDisk,
  "decision-api": decisionFromApi,
  "delete-api": deleteOverApi,
};

const [task, text] = process.argv.slice(2);
const options = JSON.parse(text);
const registryMs = () => (options.pid === undefined ? 0 : processorMs(options.pid));
const perform = await TASKS[task](options);
const [usedBefore, registryBefore, began] = [process.cpuUsage(), registryMs(), performance.now()];
const found = await perform();
const wallMs = performance.now() - began;
const { user, system } = process.cpuUsage(usedBefore);
console.log(JSON.stringify({ ...found, wallMs, cpuMs: (user + system) / 1000 + registryMs() - registryBefore }));
// Connections that are kept alive would keep this process alive as well.
process.exit();
