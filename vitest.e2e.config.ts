import { basename } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What computes all the time, and what is judged by how soon it acts beside a whole control plane, has the machine to itself. */
const ALONE = ["test/e2e/real-fleet.test.ts", "test/e2e/replay.test.ts"];

/** The longest first, so that no worker ends with one while the other has nothing left. What is not named comes last. */
const LONGEST_FIRST = ["crash", "package", "first-rollback", "demo", "prometheus", "mcp", "isolation"];

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
 * The whole system in its own processes. Two files at a time: visitors, policies and verifications make them wait for
 * most of their time.
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
          exclude: [...configDefaults.exclude, ...ALONE],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: ALONE, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
