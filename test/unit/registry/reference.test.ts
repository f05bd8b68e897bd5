import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegctlError } from "../../../src/errors.ts";
import {
  familiarName,
  familiarReference,
  formatReference,
  isDigest,
  isRepositoryName,
  isTag,
  parseReference,
} from "../../../src/registry/reference.ts";
import { runs } from "../../support/property-runs.ts";

const ZEROS = "0".repeat(64);
const ID = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a";

/** What is typed, and what Docker Engine 20.10 calls it when it says that it has no such image. */
const FAMILIAR = [
  ["registry", "registry:latest"],
  ["registry:2", "registry:2"],
  ["localhost/app", "localhost/app:latest"],
  ["localhost:5000/app:1", "localhost:5000/app:1"],
  ["docker.io/registry", "registry:latest"],
  ["index.docker.io/registry:2", "registry:2"],
  ["docker.io/library/a", "a:latest"],
  ["docker.io/a/b", "a/b:latest"],
  ["library/foo/bar", "library/foo/bar:latest"],
  ["nothub/library", "nothub/library:latest"],
  ["foo_bar.com:8080", "foo_bar.com:8080"],
  ["a_b/c", "a_b/c:latest"],
  ["a__b/c", "a__b/c:latest"],
  ["a--b", "a--b:latest"],
  ["a:tag.", "a:tag."],
  ["a:_tag", "a:_tag"],
  ["192.168.1.1:5000", "192.168.1.1:5000"],
  ["192.168.1.1:5000/x:5050", "192.168.1.1:5000/x:5050"],
  ["xn--n3h.com/a", "xn--n3h.com/a:latest"],
  [`docker.io/${ID}`, `${ID}:latest`],
  [`a/${ID}`, `a/${ID}:latest`],
  ["DOCKER.IO/a", "DOCKER.IO/a:latest"],
  ["a.b", "a.b:latest"],
  ["a.b/c.d_e-f", "a.b/c.d_e-f:latest"],
] as const;

/** The rest of the grammar: IPv6 hosts and capital host names came after 20.10. */
const PARTS = [
  ["registry:2", { domain: "docker.io", repository: "library/registry", tag: "2" }],
  ["team/api", { domain: "docker.io", repository: "team/api", tag: "latest" }],
  ["[::1]:5000/app:1", { domain: "[::1]:5000", repository: "app", tag: "1" }],
  ["[2001:db8::7]/team/app", { domain: "[2001:db8::7]", repository: "team/app", tag: "latest" }],
  ["BUILDHOST/app", { domain: "BUILDHOST", repository: "app", tag: "latest" }],
  [`app@sha256:${ZEROS}`, { domain: "docker.io", repository: "library/app", digest: `sha256:${ZEROS}` }],
  [`h:1/app:9@sha256:${ZEROS}`, { domain: "h:1", repository: "app", tag: "9", digest: `sha256:${ZEROS}` }],
  [
    `app@sha512:${ZEROS}${ZEROS}`,
    { domain: "docker.io", repository: "library/app", digest: `sha512:${ZEROS}${ZEROS}` },
  ],
] as const;

/** Refused by the engine too, but for the last two groups, which it never sees: references over HTTP, image ids. */
const REFUSED = [
  ["foo/Bar", "upper-case", "write foo/bar"],
  ["Foo", "upper-case", "write foo"],
  ["localhost:5000/Team/api:1", "upper-case", "write localhost:5000/team/api:1"],
  ["a___b/c", "a___b/c is not a repository name", "write [HOST"],
  ["a-.b", "not a repository name", "write [HOST"],
  ["a..b", "not a repository name", "write [HOST"],
  ["-a", "not a repository name", "write [HOST"],
  ["a-", "not a repository name", "write [HOST"],
  ["a/", "not a repository name", "write [HOST"],
  ["/a", "not a repository name", "write [HOST"],
  ["a//b", "not a repository name", "write [HOST"],
  ["é/a", "not a repository name", "write [HOST"],
  ["@", "not a digest", "sha256:"],
  [":tag", "not a repository name", "write [HOST"],
  ["[::1]", "not a repository name", "write [HOST"],
  ["[fe80::1%25eth0]:5000/a", "not a registry host", "write [HOST"],
  ["-bad.com/a", "not a registry host", "write [HOST"],
  ["bad-.com/a", "not a registry host", "write [HOST"],
  ["x.y.:80/a", "not a registry host", "write [HOST"],
  ["host:port/a", "not a registry host", "write [HOST"],
  ["a:b/c", "a:b is not a registry host", "write [HOST"],
  ["a:.tag", ".tag is not a tag", "up to 128"],
  ["a:-tag", "-tag is not a tag", "up to 128"],
  ["a:b:c", "b:c is not a tag", "up to 128"],
  ["a:", "its tag is empty", "up to 128"],
  [`a:${"t".repeat(129)}`, "is not a tag", "up to 128"],
  ["a@sha256:abc", "not 64 lower-case hexadecimal digits", "copy the whole digest"],
  [`a@sha256:${"A".repeat(64)}`, "not 64 lower-case hexadecimal digits", "copy the whole digest"],
  [`a@md5:${"0".repeat(32)}`, "is not a digest", "sha256:"],
  [`a@constructor:${ZEROS}`, "is not a digest", "sha256:"],
  [`a@sha256:${ZEROS}:`, "is not a digest", "sha256:"],
  ["", "it is empty", "write [HOST"],
  ["registry:2 ", "white space", "remove the spaces"],
  ["registry:2\n", "white space", "remove the spaces"],
  ["https://registry.example.com/a", "begins with https://", "leave out https://"],
  ["docker://a", "begins with docker://", "leave out docker://"],
  [ID, "it is an image id", "by repository and tag"],
] as const;

function refusal(text: string): RegctlError {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof RegctlError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe("parseReference", () => {
  it.each(FAMILIAR)("reads %s as Docker's %s", (text, familiar) => {
    expect(familiarReference(parseReference(text))).toBe(familiar);
  });

  it.each(PARTS)("takes %s apart", (text, parts) => {
    expect(parseReference(text)).toEqual(parts);
  });

  it.each(REFUSED)("refuses %j: %s", (text, why, hint) => {
    const error = refusal(text);
    expect(error.code).toBe("input-invalid");
    expect(error.message).toContain(why);
    expect(error.hint).toContain(hint);
  });

  it("counts host and repository towards 255 characters, the tag not", () => {
    const longest = `h:1/${"a".repeat(251)}`;
    expect(parseReference(`${longest}:tag`).tag).toBe("tag");
    expect(refusal(`${longest}a`).message).toContain("longer than 255");
  });

  it("reads a hostile megabyte at once", () => {
    const started = performance.now();
    for (const text of ["a-".repeat(5e5), "a.".repeat(5e5), `${"a".repeat(1e6)}!/b`, `${"a-".repeat(5e5)}.:/b`])
      refusal(text);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

const component = fc.stringMatching(/^[a-z0-9]{1,6}(([._]|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const host = fc.stringMatching(
  /^([a-z0-9]{1,5}\.[a-z]{2,3}|localhost|[a-z]{1,5}:[0-9]{1,5}|\[[0-9a-f]{0,4}:[0-9a-f:]{1,9}\](:[0-9]{2,5})?)$/,
);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);
const digest = fc.stringMatching(/^sha256:[0-9a-f]{64}$/);
const reference = fc
  .record({
    host: fc.option(host),
    path: fc.array(component, { minLength: 1, maxLength: 4 }),
    tag: fc.option(tag),
    digest: fc.option(digest),
  })
  .filter(({ host, path }) => host !== null || (path[0] !== "localhost" && !path[0]!.includes(".")))
  .filter(({ host, path }) => !(host === null && path.length === 1 && /^[a-f0-9]{64}$/.test(path[0]!)));

describe("round trips", () => {
  it("finds the parts a reference was put together from, and writes them out in full", () => {
    fc.assert(
      fc.property(reference, ({ host, path, tag, digest }) => {
        const suffix = `${tag === null ? "" : `:${tag}`}${digest === null ? "" : `@${digest}`}`;
        const parsed = parseReference(`${host === null ? "" : `${host}/`}${path.join("/")}${suffix}`);
        expect(parsed.domain).toBe(host ?? "docker.io");
        expect(parsed.repository).toBe(host === null && path.length === 1 ? `library/${path[0]}` : path.join("/"));
        expect(parsed.digest).toBe(digest ?? undefined);
        expect(parsed.tag).toBe(tag ?? (digest === null ? "latest" : undefined));
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
        expect(parseReference(familiarReference(parsed))).toEqual(parsed);
        expect(familiarReference(parsed).startsWith(familiarName(parsed))).toBe(true);
      }),
    );
  });

  it("either parses any text or refuses it with a hint, never fails otherwise", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9:/@._[\]-]{0,30}$/));
    fc.assert(
      fc.property(text, (written) => {
        let parsed: ReturnType<typeof parseReference>;
        try {
          parsed = parseReference(written);
        } catch (error) {
          expect(error).toBeInstanceOf(RegctlError);
          expect((error as RegctlError).hint).toBeTruthy();
          return;
        }
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe("isRepositoryName, isTag and isDigest", () => {
  const parses = (written: string): boolean => {
    try {
      return formatReference(parseReference(written)) === written;
    } catch {
      return false;
    }
  };

  it("say of any text what the parser says of a reference made with it", () => {
    const name = fc.oneof(
      fc.stringMatching(/^[a-zA-Z0-9/._-]{0,12}$/),
      fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.oneof(name, tag, digest), (text) => {
        expect(isRepositoryName(text)).toBe(!text.includes(":") && !text.includes("@") && parses(`h:1/${text}:t`));
        expect(isTag(text)).toBe(!/[/@]/.test(text) && parses(`h:1/r:${text}`));
        expect(isDigest(text)).toBe(parses(`h:1/r@${text}`));
      }),
      { numRuns: runs(1_000) },
    );
  });

  it("refuse names that are too long, climb or hide", () => {
    expect(isRepositoryName("a".repeat(255))).toBe(true);
    expect(isRepositoryName("a".repeat(256))).toBe(false);
    for (const text of ["..", "a/../b", "/a", "a/", "a//b", "a\n", "_manifests", "a/_layers", "constructor:"]) {
      expect(isRepositoryName(text)).toBe(false);
    }
    for (const text of ["", "constructor:", "sha256:", `sha256:${"g".repeat(64)}`, `sha256:${ZEROS}\n`]) {
      expect(isDigest(text)).toBe(false);
    }
  });
});
