/** The questions, on a real terminal. */
import { beforeAll, describe, expect, it } from "vitest";
import { answer, deployed, keep, place, quickFlags } from "../support/e2e-deployment.ts";
import { stateOf } from "../support/e2e-state.ts";
import { pty } from "../support/pty.ts";
import type { Scenario } from "../support/scenario.ts";

/** A deployment nobody wants to lose. */
let registry: Scenario;
beforeAll(async () => {
  registry = keep(await deployed());
});

describe("the wizard", () => {
  const wizard = async (one: Scenario, flags: readonly string[] = []) =>
    pty(["init", one.directory, "--name", one.name, ...(await quickFlags()), ...flags], { cwd: one.directory });

  it("says what is wrong with an answer, takes the next, and ends with a registry that takes the password typed", async () => {
    await using one = await place();
    await using terminal = await wizard(one);
    await terminal.expect("Host name or IP address clients will use");
    await terminal.press("C-u");
    await terminal.answer("not_a host");
    await terminal.expect(/not a host name|is not|cannot be/);
    await terminal.press("C-u");
    await terminal.answer("localhost");
    await terminal.expect("Port clients will connect to");
    await terminal.answer("70000");
    await terminal.expect("a port is a number from 1 to 65535");
    await terminal.press("C-u");
    await terminal.answer(String(one.port));
    await terminal.expect("Encryption");
    await terminal.press("Enter");
    await terminal.expect("Name of the first user");
    await terminal.press("Enter");
    await terminal.expect("Folder for the images");
    await terminal.press("Enter");
    await terminal.expect("Password of admin");
    await terminal.answer(one.credentials.password);
    await terminal.expect("Once more");
    await terminal.answer(one.credentials.password);
    const { exitCode, screen } = await terminal.exit();
    expect(exitCode, screen).toBe(0);
    expect(screen).toContain("Your registry is running.");
    expect(screen).not.toContain(one.credentials.password);
    expect(await answer(one)).toBe(200);
  });

  it.each([
    { at: "Host name or IP address", keys: [] },
    { at: "Password of admin", keys: ["Enter", "Enter", "Enter", "Enter", "Enter"] as const },
  ])("left with Ctrl-C at '$at' has changed nothing", async ({ at, keys }) => {
    await using one = await place({ adopt: false });
    await using terminal = await wizard(one);
    const questions = ["Host name", "Port clients", "Encryption", "Name of the first user", "Folder for the images"];
    for (const [index, key] of keys.entries()) {
      await terminal.expect(questions[index] as string);
      await terminal.press(key);
    }
    await terminal.expect(at);
    await terminal.press("C-c");
    const { exitCode, screen } = await terminal.exit();
    expect(exitCode, screen).toBe(130);
    expect(await stateOf(one)).toEqual({ files: [], containers: [], networks: [] });
  });

  it("asks for a deployment's name before it destroys images, and keeps them when it is not typed", async () => {
    await using terminal = await pty(["destroy", "--data"], { cwd: registry.directory });
    await terminal.expect("This removes every image");
    await terminal.answer("something else");
    expect((await terminal.exit()).exitCode).toBe(1);
    expect(await answer(registry)).toBe(200);
  });
});
