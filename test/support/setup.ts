/** Runs in every file of tests, also where files share their modules. */
import fc from "fast-check";
import { afterAll } from "vitest";
import { disposeKept } from "./kept.ts";
import { DEFAULT_RUNS, runs } from "./property-runs.ts";

fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns: runs(DEFAULT_RUNS) });

// Not where it is kept: a module that several files share registers only in the first of them.
afterAll(disposeKept);
