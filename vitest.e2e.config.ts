import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { COMPUTING } from "./vitest.computing.ts";

/** Judged by how soon it acts, beside a whole control plane: nothing else runs then but at the lowest priority. */
const REAL_FLEET = "test/e2e/real-fleet.test.ts";

/** The longest first, so that no worker ends with one while the others have nothing left. What is not named comes last. */
const LONGEST_FIRST = [
  "real-fleet",
  "first-rollback",
  "crash-after-act",
  "crash-before-act",
  "prometheus",
  "package",
  "mcp",
  "demo",
  "replay",
  "drawn-cases",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST_FIRST.indexOf(basename(moduleId, ".test.ts"));
      return found === -1 ? LONGEST_FIRST.length : found;
    };
    return (await super.sort(files)).sort(
      (a, b) => a.project.config.sequence.groupOrder - b.project.config.sequence.groupOrder || place(a) - place(b),
    );
  }
}

// As with the unit tests: processes of the same sources find there what others of them compiled.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), "unship-compile-cache");

/**
 * The whole system in its own processes, two files at a time: a shop with its visitors and its watch takes most of a core,
 * and a watch that gets too little of one misses what it watches for.
 */
export default defineConfig({
  test: {
    testTimeout: 5 * 60_000,
    hookTimeout: 2 * 60_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: [...configDefaults.exclude, REAL_FLEET, ...COMPUTING],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "real-fleet", include: [REAL_FLEET], maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "computing",
          include: COMPUTING,
          setupFiles: ["test/lowest-priority.ts"],
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
