import type { Context } from "../context.ts";
import { locateDeployment } from "../operations/locate.ts";
import { listUsers, removeUser, type SetPasswordResult, setPassword } from "../operations/users.ts";
import { renderTable } from "../terminal/table.ts";
import { type PasswordFlags, readPassword } from "./password-input.ts";

function renderSet(result: SetPasswordResult, done: string): string {
  const { generatedPassword } = result;
  return generatedPassword === undefined
    ? done
    : `${done}\nPassword: ${generatedPassword.reveal()}   (shown this once)`;
}

async function set(context: Context, kind: "adduser" | "passwd", name: string, flags: PasswordFlags): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const password = await readPassword(context, flags, `Password of ${name}`);
  const result = await setPassword(context, directory, { name, password, mustExist: kind === "passwd" });
  const done =
    kind === "adduser"
      ? `added ${name}; it can log in now`
      : `changed the password of ${name}; the old one is refused from now on`;
  const generated = result.generatedPassword?.reveal();
  context.output.result(kind, { user: name, password: generated ?? null }, renderSet(result, done), generated ?? name);
}

export function adduser(context: Context, name: string, flags: PasswordFlags): Promise<void> {
  return set(context, "adduser", name, flags);
}

export function passwd(context: Context, name: string, flags: PasswordFlags): Promise<void> {
  return set(context, "passwd", name, flags);
}

export async function rmuser(context: Context, name: string): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  await removeUser(context, directory, name);
  context.output.result("rmuser", { user: name }, `removed ${name}; its password is refused from now on`, name);
}

export async function users(context: Context): Promise<void> {
  const directory = await locateDeployment(context, context.options.dir);
  const entries = await listUsers(directory);
  const text =
    entries.length === 0
      ? "no users; add one with `regctl adduser NAME`"
      : renderTable(
          ["USER", "BCRYPT COST"],
          entries.map(({ name, cost }) => [name, String(cost)]),
        );
  context.output.result("users", { users: entries }, text, entries.map(({ name }) => name).join("\n"));
}
