import { tmpdir } from "node:os";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { COMPUTING } from "./vitest.computing.ts";

/** Nothing in it has a state of its own, opens anything or reads the environment: its files can share a process. */
const PURE = ["test/core/**/*.test.ts"];

/** `npm test` runs these later, with the end-to-end tests. */
const LATER = process.env.UNSHIP_COMPUTING_TESTS === "later" ? COMPUTING : [];

/** Everything but the end-to-end tests, which have settings of their own (vitest.e2e.config.ts), and the long ones. */
export default defineConfig({
  test: {
    // One more than CI has cores: files that wait for real components and for time to pass leave theirs to others.
    maxWorkers: 3,
    // Hundreds of processes are started that load the same sources: what they compile is kept, which halves a start.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "unship-compile-cache") },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: "core", include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...PURE, ...LATER, "test/e2e/**", "test/long/**"],
        },
      },
    ],
  },
});
