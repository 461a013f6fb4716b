import { defineConfig } from "vitest/config";

/** The whole system in its own processes: one file at a time, so that each has the machine to itself. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    testTimeout: 5 * 60_000,
    hookTimeout: 2 * 60_000,
    fileParallelism: false,
  },
});
