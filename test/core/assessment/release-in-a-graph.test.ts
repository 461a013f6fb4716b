import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assess.ts";
import { episodes } from "../../../core/assessment/partition.ts";
import type { Change } from "../../../core/model/change.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { deploy } from "./world.ts";

const config = testConfig();
const ALL = ["a", "b", "c", "d", "e"] as const;
const front = (service: string) => `front-${service}`;

/** Five services, each with a caller of its own, all of them changed by one act, of which some fail from then on. */
async function broken(failing: number, of: (service: string) => Partial<Change>) {
  const degraded = ALL.slice(0, failing);
  return caseAt(
    {
      seed: 7,
      services: Object.fromEntries(
        ALL.flatMap((one) => [[one, { rate: 40 }] as const, [front(one), { rate: 60 }] as const]),
      ),
      edges: ALL.map((one) => [front(one), one] as const),
      changes: ALL.map((service) => deploy(service, 300, of(service), 0)),
      effects: degraded.map((service) => ({ service, fromS: 303, errors: 0.3 })),
    },
    420,
  );
}

const ACTS: readonly (readonly [string, (service: string) => Partial<Change>])[] = [
  ["a flag that they evaluate", () => ({ kind: "flag", flag: "new-tax", from: "off", to: "on" })],
  [
    "a ConfigMap that they read",
    () => ({ kind: "config", releasedBy: [{ kind: "ConfigMap", namespace: "shop", name: "shared-env" }] }),
  ],
  ["a commit, without versions told apart", () => ({ commit: "9".repeat(40) })],
];

/** What one act breaks at several services shows at each of them and at the callers of each: no one of them explains all. */
describe("several services of a known call graph, changed together by", () => {
  describe.each(ACTS)("%s", (_, of) => {
    it.each([1, 2, 3, 5])(
      "which breaks %i of them, are one incident of that act, undone where it broke something",
      async (failing) => {
        const file = await broken(failing, of);
        expect(episodes(file)).toHaveLength(1);
        const { decision, answers } = assess(file, config);
        const ranking = answers.correlate_timing?.ranking;
        expect(ranking?.noChangeProbability).toBeLessThan(0.2);
        expect(decision.culprit?.probability).toBeGreaterThan(0.8);
        expect(decision.changeIds.toSorted()).toEqual(
          file.changes
            .map(({ id }) => id)
            .filter((id) => ALL.slice(0, failing).some((one) => id.includes(`-${one}-`)))
            .sort(),
        );
      },
    );
  });

  it.each([2, 3, 5])("one flag of which its source tells all services, which breaks %i of them", async (failing) => {
    const file = await broken(failing, () => ({}));
    const [first] = file.changes;
    const flag = { ...first, id: "flag-new-tax", kind: "flag", flag: "new-tax", from: "off", to: "on" } as Change;
    const state = { key: "new-tax", environment: "production", enabled: true, version: "2", services: [...ALL] };
    const told = { ...file, changes: [flag], flags: [state] };
    expect(episodes(told)).toHaveLength(1);
    const { decision } = assess(told, config);
    expect(decision).toMatchObject({ action: "feature_flag_disable", changeIds: ["flag-new-tax"] });
  });
});
