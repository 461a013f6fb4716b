import { defineConfig } from "vitest/config";

/** What takes longer than CI may: every scenario of the demo, soaks. One file at a time: each has the machine to itself. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts"],
    testTimeout: 20 * 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
