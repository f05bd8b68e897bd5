import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { activeFirewall } from "../../../src/host/firewall.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

async function hostWith(files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(directory.path, path, ".."), { recursive: true });
    await writeFile(join(directory.path, path), text);
  }
  return directory;
}

/** As ufw 0.36 writes it. */
const RULES = `*filter
### RULES ###

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow tcp 80,443,8000:8010 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp -m multiport --dports 80,443,8000:8010 -j ACCEPT
`;

it("ufw that is on, with the ports of its rules", async () => {
  await using host = await hostWith({ "etc/ufw/ufw.conf": "ENABLED=yes\nLOGLEVEL=low\n", "etc/ufw/user.rules": RULES });
  const firewall = await activeFirewall(host.path);
  expect(firewall?.kind).toBe("ufw");
  const mentioned = [22, 80, 443, 8005, 5000, 8011, 2].filter((port) => firewall?.mentions(port));
  expect(mentioned).toEqual([22, 80, 443, 8005]);
});

it("ufw that is off, and none at all", async () => {
  await using host = await hostWith({ "etc/ufw/ufw.conf": "ENABLED=no\n", "etc/ufw/user.rules": RULES });
  expect(await activeFirewall(host.path)).toBeUndefined();
  await using empty = temporaryDirectory();
  expect(await activeFirewall(empty.path)).toBeUndefined();
});

it("firewalld that runs, with the ports of its zones", async () => {
  const zone =
    '<zone><service name="ssh"/><port protocol="tcp" port="5000"/><port port="6000-6010" protocol="tcp"/></zone>';
  await using host = await hostWith({ "run/firewalld.pid": "7\n", "etc/firewalld/zones/public.xml": zone });
  const firewall = await activeFirewall(host.path);
  expect(firewall?.kind).toBe("firewalld");
  expect([5000, 6005, 6011, 22].filter((port) => firewall?.mentions(port))).toEqual([5000, 6005]);
});
