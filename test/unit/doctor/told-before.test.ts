import { expect, it } from "vitest";
import { deploymentChecks } from "../../../src/doctor/deployment-checks.ts";
import { endpointChecks } from "../../../src/doctor/endpoint-checks.ts";
import type { Examined } from "../../../src/doctor/run-checks.ts";
import { TOLD_BY, withoutToldBefore } from "../../../src/doctor/told-before.ts";

const seen = (id: string, verdict: Examined["verdict"]): Examined => ({ id, verdict, title: id, cause: "", fix: "" });

it("no check of a deployment has the id of one of an endpoint", () => {
  const ids = [...deploymentChecks, ...endpointChecks].map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

it("names only checks of a deployment there are", () => {
  const known = new Set(deploymentChecks.map(({ id }) => id));
  const named = Object.values(TOLD_BY).flat();
  expect(named.filter((deployment) => !known.has(deployment))).toEqual([]);
});

it("leaves out what the deployment's part found, and nothing else", () => {
  const endpoint = [seen("certificate-dates", "broken"), seen("login-works", "broken"), seen("clock", "ok")];
  expect(withoutToldBefore([seen("certificate-expiry", "warning")], endpoint).map(({ id }) => id)).toEqual([
    "login-works",
    "clock",
  ]);
  expect(withoutToldBefore([seen("certificate-expiry", "ok")], endpoint)).toEqual(endpoint);
  expect(withoutToldBefore([seen("certificate-expiry", "unknown")], endpoint)).toEqual(endpoint);
});
