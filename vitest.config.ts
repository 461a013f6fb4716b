import { tmpdir } from "node:os";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { COMPUTING } from "./vitest.computing.ts";

/** They replace modules, which every later file of the same process would get. */
const MOCKING = ["test/agent/chain/injections-mutations.test.ts"];

/** `npm test` runs these later, with the end-to-end tests. */
const LATER = process.env.UNSHIP_COMPUTING_TESTS === "later" ? COMPUTING : [];

// Hundreds of processes are started that load the same sources: what they compile is kept, which halves a start.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "unship-compile-cache");

/** Everything but the end-to-end tests, which have settings of their own (vitest.e2e.config.ts), and the long ones. */
export default defineConfig({
  test: {
    // One more than CI has cores: files that wait for real components and for time to pass leave theirs to others.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Loading the same modules for each file anew costs as much as a third of the tests that need no process.
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...MOCKING, ...LATER, "test/e2e/**", "test/long/**"],
        },
      },
      { extends: true, test: { name: "mocking", include: MOCKING } },
    ],
  },
});
