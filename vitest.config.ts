import { configDefaults, defineConfig } from "vitest/config";

/** Everything but the end-to-end tests, which run one by one (vitest.e2e.config.ts), and the long ones. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/e2e/**", "test/long/**"],
    // By default Vitest leaves a core to itself: on two cores that is half of the machine.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
