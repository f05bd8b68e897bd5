/** Why the registry's own collector must not, or cannot, be run: all of it is known before the first change. */

import { readEntries } from "../collect/trash-entry.ts";
import { trashedRepositories } from "../collect/trashed-roots.ts";
import { isUnused, upstreamObstacles } from "../collect/upstream-obstacles.ts";
import type { Config } from "../config/config.ts";
import { foreignStorageDriver } from "../config/registry-config.ts";
import { changeOf } from "../deployment/plan.ts";
import type { ObservedContainer } from "../engine/engine.ts";
import { RegctlError } from "../errors.ts";
import type { Store } from "../storage/layout.ts";
import { descriptorCache } from "./serving.ts";
import type { Proposal } from "./up.ts";

function refusal(message: string, hint: string): RegctlError {
  return new RegctlError("precondition-failed", message, { hint });
}

/** What regctl.yaml alone tells. */
export function refuseByConfig(config: Config, { untagged }: { readonly untagged: boolean }): void {
  const driver = foreignStorageDriver(config);
  if (driver === "inmemory")
    throw refusal(
      "the registry keeps its images in its own memory, where no other process can collect",
      "`regctl restart` empties it",
    );
  if (untagged && config.major === 2) {
    const instead =
      driver === undefined
        ? "regctl's own collector does it safely: regctl gc --untagged"
        : "remove what is not needed over the API (`regctl prune`, `skopeo delete`), then collect without --untagged";
    throw refusal(
      "distribution 2.x deletes the manifests a multi-arch image consists of when it collects untagged ones (garbage-collect -m)",
      instead,
    );
  }
  if (descriptorCache(config) === "redis")
    throw refusal(
      "the registry remembers blobs in redis (storage.cache.blobdescriptor), which outlives a restart: it would go on serving what is gone, and accept pushes that need it",
      "remove storage.cache from regctl.yaml, or set it to inmemory, and run `regctl up`",
    );
}

const OVERRIDES = /^REGISTRY_STORAGE(_MAINTENANCE(_.*)?)?$/i;

/**
 * What runs has to be what regctl.yaml says, or nothing at all: else another storage could be collected than the one that is
 * served, and what was edited meanwhile would be applied by the way.
 */
export function refuseDrift({ changes, plan, files, imageIsMissing }: Proposal, isStopped: boolean): void {
  const isExpected = isStopped && !imageIsMissing && files.every(({ path }) => path !== "registry/config.yml");
  const surprising = isExpected ? [] : changes;
  if (surprising.length === 0) return;
  const steps = new Set(plan.steps.map((step) => changeOf(step).name));
  throw new RegctlError("precondition-failed", "what runs is not what regctl.yaml says", {
    issues: surprising.map(({ kind, name, because }) => ({
      path: steps.has(name) ? name : `${kind} ${name}`,
      message: because,
    })),
    hint: "`regctl up` brings it into agreement; then collect",
  });
}

/** What a registry that goes on running could do in spite of its configuration. */
export function refuseUnstoppable(config: Config, containers: readonly ObservedContainer[]): void {
  if ("proxy" in config.registry)
    throw refusal(
      "a pull-through cache stores what it pulls, also when it is read-only",
      "stop it meanwhile: regctl down && regctl gc --engine upstream && regctl up",
    );
  const override = containers.flatMap(({ environment }) => environment).find((name) => OVERRIDES.test(name));
  if (override !== undefined)
    throw refusal(
      `the image sets ${override}, which overrides read-only mode`,
      "use an image without REGISTRY_STORAGE… variables, and set them under registry: in regctl.yaml",
    );
}

/** What a storage on this host tells. */
export async function refuseByStore(
  store: Store,
  options: { readonly major: 2 | 3; readonly untagged: boolean; readonly now: Date },
): Promise<void> {
  if (isUnused(store))
    throw refusal(`nothing was pushed to ${store.name} yet: there is nothing to collect`, "push an image first");
  const kept = readEntries(store).filter(({ expires }) => Date.parse(expires) > options.now.getTime());
  const entries = kept.filter((entry) => trashedRepositories(store, [entry]).size > 0);
  if (entries.length > 0)
    throw refusal(
      `the trash holds what \`undo\` can bring back (${entries.map(({ id }) => id).join(", ")}), and the registry's own collector would delete its blobs`,
      "regctl's own collector keeps them: regctl gc; or give them up: regctl trash purge --all",
    );
  const obstacles = await upstreamObstacles(store, options);
  if (obstacles.length === 0) return;
  throw new RegctlError("precondition-failed", "the registry's own collector would give up on this storage", {
    issues: obstacles.slice(0, 20).map(({ path, message }) => ({ path: path ?? "", message })),
    hint: "`regctl fsck --repair` mends it; regctl's own collector does not mind: regctl gc",
    details: { problems: obstacles.slice(0, 100) },
  });
}
