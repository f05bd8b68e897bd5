/** Kits that no program of this machine can run: what can be told of them without one. */
import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { checksOf, parseEvents, renderEvents } from "../../../src/trust/events.ts";
import { renderKubernetes } from "../../../src/trust/kubernetes.ts";
import { powershellString } from "../../../src/trust/quote.ts";
import { archive } from "../../../src/trust/tar.ts";
import { renderWindowsKit, WINDOWS_PART } from "../../../src/trust/windows.ts";
import { runProgram } from "../../support/run-program.ts";
import { partOf, subjectFor } from "../../support/trust-subject.ts";

describe("a kit for Windows", () => {
  it("has its values in verbatim strings, which nothing ends but a quote that is not doubled", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("'", "\u2018", "\u2019", "\u201a", "\u201b", "a", "$", "`", "\n") }),
        (text) => {
          const inside = powershellString(text).slice(1, -1);
          const quotes = /['\u2018\u2019\u201a\u201b]/g;
          expect(inside.replace(/(['\u2018\u2019\u201a\u201b])\1/g, "")).not.toMatch(quotes);
          expect(inside.replace(/(['\u2018\u2019\u201a\u201b])\1/g, "$1")).toBe(text);
        },
      ),
    );
  });

  it("begins with its parameters, has every authority, and names of folders without a colon are made there", async () => {
    const subject = await subjectFor({ name: "it's\nme", hosts: ["registry.test", "10.0.0.1"], port: 443 });
    const kit = renderWindowsKit(subject, await partOf(WINDOWS_PART));
    const code = kit.split("\n").filter((line) => !line.startsWith("#"));
    expect(code[0]).toBe("param(");
    expect(kit).toContain(`$KitRegistries = @('registry.test', 'registry.test:443', '10.0.0.1', '10.0.0.1:443')`);
    expect(kit).toContain(subject.authorities[0]?.pem);
    expect(kit).toContain("$registry -replace ':', ''");
    for (const value of ["KitId", "KitProbe", "KitProbeName", "KitFingerprint", "KitAuthorities"])
      expect(kit.split("\n").findIndex((line) => line.startsWith(`$${value} = `))).toBeLessThan(
        kit.split("\n").findIndex((line) => line.startsWith("Set-StrictMode")),
      );
  });
});

describe("objects for Kubernetes", () => {
  it("are YAML with the authority, the names, and a script that sh takes", async () => {
    const subject = await subjectFor({ hosts: ["registry.test", "2001:db8::1"] });
    const documents = renderKubernetes(subject)
      .split(/^---$/m)
      .map((text) => load(text) as Record<string, never>);
    expect(documents.map(({ kind }) => kind)).toEqual(["ConfigMap", "DaemonSet"]);
    const data = (documents[0] as unknown as { data: Record<string, string> }).data;
    expect(data["ca.crt"]).toBe(subject.authorities[0]?.pem);
    expect(await runProgram("sh", ["-n"], { input: data["install.sh"] ?? "" })).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    expect(JSON.stringify(documents[1])).toContain('"registry.test:5000 [2001:db8::1]:5000"');
  });
});

describe("an archive of kits", () => {
  it("is what tar reads", async () => {
    const files = [
      { name: "kit/a.sh", content: "#!/bin/sh\necho hi\n", mode: 0o755 },
      { name: "kit/long", content: "x".repeat(1500), mode: 0o644 },
      { name: "kit/empty", content: "", mode: 0o644 },
    ];
    const input = archive(files).toString("latin1");
    const listed = await runProgram("tar", ["-tvf", "-"], { input });
    expect(listed.stdout.split("\n").map((line) => line.replace(/\s+/g, " ").split(" ").slice(0, 3).join(" "))).toEqual(
      ["-rwxr-xr-x 0/0 18", "-rw-r--r-- 0/0 1500", "-rw-r--r-- 0/0 0", ""],
    );
    expect((await runProgram("tar", ["-xOf", "-", "kit/a.sh"], { input })).stdout).toBe("#!/bin/sh\necho hi\n");
  });
});

describe("what a kit says", () => {
  it("is read line by line, and what is no event is left out", () => {
    const events = parseEvents(
      "Welcome to build1!\nchange\tdocker\twrote /x\t\nbroken\tpodman\tno\u001b[31m\trun this\nnot an event\n",
    );
    expect(events).toEqual([
      { kind: "change", client: "docker", text: "wrote /x", fix: undefined },
      { kind: "broken", client: "podman", text: "no\\u001b[31m", fix: "run this" },
    ]);
    expect(checksOf(events)).toEqual([
      { client: "podman", verdict: "broken", cause: "no\\u001b[31m", fix: "run this" },
    ]);
    expect(renderEvents(events)).toBe("docker: wrote /x\npodman: NOT TRUSTED: no\\u001b[31m\n  fix: run this");
  });

  it("is harmless whatever a machine answers", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "\t", "\n", "\r", "\u001b", "\u0000", "ok", "\u202e") }),
        (output) => {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
          for (const { text } of parseEvents(output)) expect(text).not.toMatch(/[\u0000-\u001f\u007f]/);
        },
      ),
    );
  });
});
