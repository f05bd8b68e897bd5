import { defineConfig } from "vitest/config";

/** One project a kind of test; `contract` and `e2e` need a real engine and share it, so their files run one at a time. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/architecture.test.ts"],
          setupFiles: ["test/support/setup.ts"],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "commands",
          include: ["test/commands/**/*.test.ts"],
          globalSetup: ["test/support/shared-certificates.ts"],
          setupFiles: ["test/support/setup.ts"],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          setupFiles: ["test/support/setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          setupFiles: ["test/support/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
