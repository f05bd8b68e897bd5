import { RegctlError } from "../errors.ts";

/** A fully qualified image reference; `tag`, `digest` or both are present. */
export interface Reference {
  /** Registry host, with its port if any: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** `library/registry`, `team/api`. */
  readonly repository: string;
  readonly tag?: string;
  /** `algorithm:hex`. */
  readonly digest?: string;
}

const HUB = "docker.io";
const HUB_ALIAS = "index.docker.io";
const HUB_OFFICIAL = "library/";
const DEFAULT_TAG = "latest";

const LONGEST_NAME = 255;
const HOST_LABEL = "[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*";
const DOMAIN = new RegExp(`^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const IMAGE_ID = /^[a-f0-9]{64}$/;
const HEX_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

const TAG_HINT = "a tag is up to 128 letters, digits, _ . and -, and begins with a letter, digit or _";
const FORM = "write [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], such as registry:2 or registry.example.com/team/api:1.4";

/**
 * Reads a reference as Docker does (https://github.com/distribution/reference): no host means Docker Hub, one name
 * there means `library/`, neither tag nor digest means `latest`. Throws `input-invalid` naming the offending part.
 */
export function parseReference(text: string): Reference {
  checkWhole(text);
  const at = text.indexOf("@");
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : parseDigest(text, text.slice(at + 1));
  const { domain, rest } = splitDomain(named);
  if (!DOMAIN.test(domain)) throw invalid(text, `${domain} is not a registry host`);

  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  const repository = parseRepository(text, colon < 0 ? rest : rest.slice(0, colon));
  if (`${domain}/${repository}`.length > LONGEST_NAME) {
    throw invalid(text, `its name is longer than ${LONGEST_NAME} characters`, "choose a shorter repository name");
  }
  if (colon >= 0) {
    const tag = rest.slice(colon + 1);
    if (!TAG.test(tag)) throw invalid(text, tag === "" ? "its tag is empty" : `${tag} is not a tag`, TAG_HINT);
    return digest === undefined ? { domain, repository, tag } : { domain, repository, tag, digest };
  }
  return digest === undefined ? { domain, repository, tag: DEFAULT_TAG } : { domain, repository, digest };
}

/** Everything spelled out: `docker.io/library/registry:2`. `parseReference` reads it back unchanged. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.repository}${suffix(reference)}`;
}

/** The repository as Docker shows it, without tag and digest: `registry`, `team/api`, `localhost:5000/api`. */
export function familiarName({ domain, repository }: Reference): string {
  if (domain !== HUB) return `${domain}/${repository}`;
  const official = repository.startsWith(HUB_OFFICIAL) ? repository.slice(HUB_OFFICIAL.length) : "";
  return official === "" || official.includes("/") ? repository : official;
}

/** The reference as Docker shows it, in `RepoTags` for one: `registry:2`. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${suffix(reference)}`;
}

/** Whether distribution takes it as a repository's name (`team/api`, without a host). */
export function isRepositoryName(text: string): boolean {
  return text.length <= LONGEST_NAME && text.split("/").every((component) => COMPONENT.test(component));
}

/** Whether it is a tag (OCI distribution specification, "Pulling manifests"). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether it is a whole digest of an algorithm the specification registers: `sha256:` and 64 digits, sha384, sha512. */
export function isDigest(text: string): boolean {
  const [algorithm = "", hex = "", ...more] = text.split(":");
  if (!Object.hasOwn(HEX_LENGTHS, algorithm) || more.length > 0) return false;
  return hex.length === HEX_LENGTHS[algorithm] && /^[a-f0-9]*$/.test(hex);
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

function checkWhole(text: string): void {
  if (text === "") throw invalid(text, "it is empty");
  if (/\s/.test(text)) throw invalid(text, "it contains white space", "remove the spaces and line breaks");
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.exec(text)?.[0];
  if (scheme) throw invalid(text, `it begins with ${scheme}`, `leave out ${scheme}`);
  if (IMAGE_ID.test(text)) throw invalid(text, "it is an image id", "name the image by repository and tag");
}

/** The first part is a host if it looks like one (dot, port, capital) or is `localhost`; else the host is Docker Hub. */
function splitDomain(named: string): { readonly domain: string; readonly rest: string } {
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = isHost && first !== HUB_ALIAS ? first : HUB;
  const rest = isHost ? named.slice(slash + 1) : named;
  return { domain, rest: domain === HUB && !rest.includes("/") ? HUB_OFFICIAL + rest : rest };
}

function parseRepository(text: string, repository: string): string {
  if (repository !== repository.toLowerCase()) {
    const typed = text.includes(repository) ? repository : repository.slice(HUB_OFFICIAL.length);
    throw invalid(text, "its repository has upper-case letters", `write ${text.replace(typed, typed.toLowerCase())}`);
  }
  if (!repository.split("/").every((component) => COMPONENT.test(component))) {
    throw invalid(text, `${repository} is not a repository name`);
  }
  return repository;
}

function parseDigest(text: string, digest: string): string {
  const [algorithm = "", hex = "", ...more] = digest.split(":");
  const length = Object.hasOwn(HEX_LENGTHS, algorithm) ? HEX_LENGTHS[algorithm] : undefined;
  if (length === undefined || more.length > 0) {
    throw invalid(text, `${digest} is not a digest`, "write sha256: and 64 lower-case hexadecimal digits");
  }
  if (hex.length !== length || !/^[a-f0-9]*$/.test(hex)) {
    const message = `its ${algorithm} digest is not ${length} lower-case hexadecimal digits`;
    throw invalid(text, message, "copy the whole digest, or name a tag");
  }
  return digest;
}

function invalid(text: string, why: string, hint: string = FORM): RegctlError {
  return new RegctlError(
    "input-invalid",
    `${JSON.stringify(shorten(text))} is not an image reference: ${shorten(why)}`,
    {
      hint: shorten(hint),
    },
  );
}

function shorten(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
}
