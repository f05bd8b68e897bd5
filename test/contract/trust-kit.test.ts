/** Kits as a shell sees them: nothing of a value is ever run, and a user's own places come back as they were. */
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderKit } from "../../src/trust/kit.ts";
import type { TrustSubject } from "../../src/trust/subject.ts";
import { filesBelow } from "../support/files-below.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../support/temporary-directory.ts";
import { kitFor, subjectFor } from "../support/trust-subject.ts";

/** A user's machine: an empty home, and a skopeo that does nothing, so that there is a client. */
async function home(): Promise<TemporaryDirectory & { sh(kit: string, ...args: string[]): Promise<ProgramResult> }> {
  const folder = temporaryDirectory();
  const bin = join(folder.path, "bin");
  await mkdir(join(folder.path, "home"));
  await mkdir(bin);
  for (const name of ["skopeo", "curl"]) {
    await writeFile(join(bin, name), "#!/bin/sh\necho unauthorized >&2\nexit 1\n");
    await chmod(join(bin, name), 0o755);
  }
  return {
    ...folder,
    sh: (kit, ...args) =>
      runProgram("sh", ["-s", "--", "--user", "--client", "podman", ...args], {
        input: kit,
        cwd: folder.path,
        env: { HOME: join(folder.path, "home"), PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, TMPDIR: folder.path },
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Programs that change files kill the shell that called them, at the n-th call of any of them, before or after the deed. */
async function killAt(folder: string, step: number): Promise<void> {
  await writeFile(join(folder, "armed"), "0");
  for (const name of ["mv", "cp", "mkdir", "touch", "rm"]) {
    const script = `#!/bin/sh
if [ -e "$TMPDIR/armed" ]; then
  count=$(($(cat "$TMPDIR/armed") + 1))
  echo "$count" >"$TMPDIR/armed"
  if [ "$count" = ${step} ]; then
    [ $((count % 2)) = 0 ] || /bin/${name} "$@"
    /bin/rm -f "$TMPDIR/armed"
    kill -KILL $PPID
    exit 1
  fi
fi
exec /bin/${name} "$@"
`;
    await writeFile(join(folder, "bin", name), script);
    await chmod(join(folder, "bin", name), 0o755);
  }
}

const PAYLOADS = [
  "$(touch pwned)",
  "`touch pwned`",
  "'; touch pwned; '",
  '"; touch pwned; "',
  "a\ntouch pwned\n",
  "a\rtouch pwned",
  "REGCTL_END_OF_PEM\ntouch pwned\n",
  "$IFS;touch$IFS pwned",
  "*",
  "\\",
  "%s%n",
  "-n",
];

describe("a shell kit", () => {
  it("runs nothing of what it is given, whatever names and authorities are called", async () => {
    await using machine = await home();
    const subject = await subjectFor();
    const hostile = fc
      .oneof(fc.constantFrom(...PAYLOADS), fc.string({ maxLength: 40 }))
      .map((text) => text.replaceAll("\0", ""));
    await fc.assert(
      fc.asyncProperty(
        hostile,
        hostile,
        hostile,
        fc.constantFrom("--dry-run", "--list", "--help"),
        async (name, host, who, flag) => {
          const authorities = subject.authorities.map((one) => ({ ...one, subject: who }));
          // What trustSubject would refuse is let through, to see that quoting alone holds.
          const evil: TrustSubject = { ...subject, name, hosts: [host], registries: [`${host}:5000`], authorities };
          const result = await machine.sh(await kitFor(evil), flag);
          expect(result.exitCode, result.stderr).toBe(0);
          expect((await readdir(machine.path)).sort()).toEqual(["bin", "home"]);
          expect(await readdir(join(machine.path, "home"))).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("can be killed at any step: run again it is done, and its undo leaves nothing", async () => {
    const kit = await kitFor(await subjectFor());
    const steps = fc.integer({ min: 1, max: 30 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (step, again) => {
        await using machine = await home();
        await killAt(machine.path, step);
        await machine.sh(kit);
        await rm(join(machine.path, "armed"), { force: true });
        if (again) expect(await machine.sh(kit)).toMatchObject({ exitCode: 0, stderr: "" });
        const undone = await machine.sh(kit, "--undo");
        expect(undone, undone.stdout + undone.stderr).toMatchObject({ exitCode: 0, stderr: "" });
        expect(await filesBelow(join(machine.path, "home"))).toEqual({});
        expect(await readdir(join(machine.path, "home"))).not.toContain(".config");
      }),
      { numRuns: 8 },
    );
  });

  it("waits for another run of itself, and both are done", async () => {
    await using machine = await home();
    const kit = await kitFor(await subjectFor());
    const both = await Promise.all([machine.sh(kit), machine.sh(kit)]);
    for (const one of both) expect(one, one.stdout + one.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    await Promise.all([machine.sh(kit, "--undo"), machine.sh(kit, "--undo")]);
    expect(await filesBelow(join(machine.path, "home"))).toEqual({});
  });

  it("is one command to a shell: a kit that was cut off anywhere does nothing", async () => {
    await using machine = await home();
    const kit = await kitFor(await subjectFor());
    for (const part of [0.3, 0.6, 0.9, 0.99]) await machine.sh(kit.slice(0, Math.floor(kit.length * part)));
    await machine.sh(kit.slice(0, kit.lastIndexOf('main "$@"')));
    expect(await filesBelow(join(machine.path, "home"))).toEqual({});
  });

  it("puts a user's places back to the byte and the second", async () => {
    await using machine = await home();
    const at = (...path: string[]): string => join(machine.path, "home", ...path);
    await mkdir(at(".config/containers"), { recursive: true });
    await writeFile(at(".config/containers/registries.conf"), "# mine\n");
    const then = new Date("2020-01-01T00:00:00Z");
    for (const folder of [".config/containers", ".config", "."]) await utimes(at(folder), then, then);
    const kit = await kitFor(await subjectFor({ hosts: ["registry.test", "::1"] }));

    const installed = await machine.sh(kit);
    expect(installed, installed.stdout + installed.stderr).toMatchObject({ exitCode: 0, stderr: "" });
    const folder = at(".config/containers/certs.d");
    expect((await readdir(folder)).sort()).toEqual(["[::1]:5000", "registry.test:5000"]);
    expect(await readFile(join(folder, "registry.test:5000/ca.crt"), "utf8")).toBe(
      (await subjectFor()).authorities[0]?.pem,
    );
    expect((await machine.sh(kit)).stdout).toContain("kit: nothing to do");

    expect(await machine.sh(kit, "--undo")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await filesBelow(join(machine.path, "home"))).toEqual({ ".config/containers/registries.conf": "# mine\n" });
    for (const one of [".config/containers", ".config", "."]) expect((await stat(at(one))).mtime).toEqual(then);
  });

  it("writes beside what is not its own, and leaves alone what was changed since", async () => {
    await using machine = await home();
    const folder = join(machine.path, "home/.config/containers/certs.d/registry.test:5000");
    const subject = await subjectFor();
    const kit = await kitFor(subject);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "ca.crt"), "somebody else's\n");
    expect((await machine.sh(kit)).exitCode).toBe(0);
    const own = `regctl-${subject.authorities[0]?.short}.crt`;
    expect((await readdir(folder)).sort()).toEqual(["ca.crt", own]);
    expect(await readFile(join(folder, "ca.crt"), "utf8")).toBe("somebody else's\n");

    await writeFile(join(folder, own), "changed\n");
    const refused = await machine.sh(kit, "--undo");
    expect(refused).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("changed by somebody else since") });
    expect((await readdir(folder)).sort()).toEqual(["ca.crt", own]);
    await writeFile(join(folder, own), subject.authorities[0]?.pem ?? "");
    expect(await machine.sh(kit, "--undo")).toMatchObject({ exitCode: 0 });
    expect(await readdir(folder)).toEqual(["ca.crt"]);
  });

  it("replaces what an earlier kit of the deployment wrote: names and authorities that went are gone", async () => {
    await using machine = await home();
    const parent = join(machine.path, "home/.config/containers/certs.d");
    const old = await subjectFor({ hosts: ["registry.test", "old.test"] });
    expect((await machine.sh(await kitFor(old))).exitCode).toBe(0);
    const { createAuthority } = await import("../../src/pki/authority.ts");
    const { certificatePem } = await createAuthority({ deploymentName: "acme", now: new Date() });
    const fresh = await subjectFor({ hosts: ["registry.test", "new.test"], authorityPems: [certificatePem] });
    expect(fresh.id).toBe(old.id);
    expect((await machine.sh(await kitFor(fresh))).exitCode).toBe(0);
    expect((await readdir(parent)).sort()).toEqual(["new.test:5000", "registry.test:5000"]);
    expect(await readFile(join(parent, "registry.test:5000/ca.crt"), "utf8")).toBe(certificatePem);
    expect((await machine.sh(await kitFor(fresh), "--undo")).exitCode).toBe(0);
    expect(await filesBelow(join(machine.path, "home"))).toEqual({});
  });

  it.each([
    ["--client nonsense", "there is no client nonsense in this kit"],
    ["--client", "--client needs a name"],
    ["--clinet podman", "unknown option --clinet"],
  ])("refuses %s with exit code 2", async (line, message) => {
    const kit = await kitFor(await subjectFor());
    const result = await runProgram("sh", ["-s", "--", ...line.split(" ")], { input: kit });
    expect(result).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
  });

  it("does nothing as anybody but root, and says what to type", async () => {
    const kit = await kitFor(await subjectFor());
    const asNobody = { input: kit, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/nonexistent" } };
    const result = await runProgram(
      "setpriv",
      ["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-s"],
      asNobody,
    );
    expect(result).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringMatching(/only root may.*\n.*hint: sudo sh/),
    });
  });

  it("knows a whole list of clients, and takes other programs' names for them", async () => {
    const subject = await subjectFor();
    const { stdout } = await runProgram("sh", ["-s", "--", "--list", "--client", "skopeo,buildah,curl"], {
      input: await kitFor(subject),
    });
    expect(stdout.split("\n").map((line) => line.split(":")[0])).toEqual(["podman", "system", ""]);
    expect(renderKit(subject, [], ["docker"])).toContain("KIT_CHOSEN='docker'");
  });
});
