import { basename } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { COMPUTING } from "./vitest.computing.ts";

/** Judged by how soon it acts, beside a whole control plane: nothing else runs then but at the lowest priority. */
const REAL_FLEET = "test/e2e/real-fleet.test.ts";

/** The longest first, so that no worker ends with one while the others have nothing left. What is not named comes last. */
const LONGEST_FIRST = [
  "real-fleet",
  "crash",
  "first-rollback",
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

/**
 * The whole system in its own processes. Three files at a time: visitors, policies and verifications make them wait for
 * two thirds of their time.
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
          maxWorkers: 3,
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
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
