import { describe, expect, it } from "vitest";
import { status } from "../../../agent/cli/status.ts";
import { conditionLines } from "../../../core/guardrails/pending-conditions.ts";
import type { ConditionState, Finding } from "../../../core/model/finding.ts";
import { IncidentStage } from "../../../core/model/incident.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { pastComposition } from "../../evals/lab/past-composition.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 2, 2, 14, 10, 0);

const condition = (state: ConditionState["state"], fires: number | null = null): ConditionState => ({
  ...{ policy: "auto_rollback", condition: 0, text: "error_rate > 0.05 for 3m" },
  ...{ service: "payments", metric: "error_rate", state, value: 0.22 },
  since: NOW - 100_000,
  firesAt: fires,
  because: "now 22 %, beyond 5 % for 1m40s",
});

async function told(world: WatchWorld, json: boolean): Promise<string> {
  const { composition, printed } = pastComposition(testConfig(), { metrics: [] } as never, world.time.now);
  const ledger = async () => ({ ...world.store, close: async () => undefined });
  const who = { ledger: "the ledger", isThere: true, gate: null, processes: [] };
  await status({ ...composition, ledger, atWork: async () => who, hasEnded: async () => false }, { json });
  return printed.out;
}

const incident = (stage: IncidentStage, conditions: readonly ConditionState[], findings: readonly Finding[] = []) => ({
  ...{ stage, conditions: [...conditions], findings: [...findings] },
});
const found: Finding = {
  ...{
    detector: "change-point",
    service: "payments",
    metric: "error_rate",
    labels: {},
    unit: "ratio",
    verdict: "worse",
  },
  ...{ onset: null, detectedAt: NOW, baseline: 0.003, current: 0.21, season: 0.0031, samples: 4, strength: 20 },
  because: "error_rate of payments went from 0.3 % to 21 %, at most one in 12 million by chance",
};

describe("what an open incident's policies wait for", () => {
  it("is the signal, its value and baselines, and for each policy when it fires and how long it has held", () => {
    const pending = [condition("pending", NOW + 80_000)];
    expect(conditionLines(incident("waiting-policy", pending, [found]), NOW)).toEqual([
      "payments error_rate 22.0 % (before 0.300 %, this time of day 0.310 %); auto_rollback fires at 14:11:20 UTC if it holds (1m40s of 3m)",
    ]);
    expect(conditionLines(incident("waiting-policy", pending), NOW)).toEqual([
      "payments error_rate 22.0 %; auto_rollback fires at 14:11:20 UTC if it holds (1m40s of 3m)",
    ]);
  });

  it.each([
    ["firing", null, "; auto_rollback fires"],
    ["pending", null, "; auto_rollback is pending"],
  ] as const)("%s without a moment to come says so", (state, fires, ending) => {
    const lines = conditionLines(incident("investigated", [condition(state, fires)]), NOW);
    expect(lines).toEqual([`payments error_rate 22.0 %${ending}`]);
  });

  it("says in its own words what is no sample with a unit", () => {
    const because = "3 consecutive samples with failed health checks of payments";
    for (const one of [
      { ...condition("firing"), metric: "health_check_failures", because },
      { ...condition("firing"), value: null, because },
    ])
      expect(conditionLines(incident("detected", [one]), NOW)).toEqual([
        `payments ${one.metric}: ${because}; auto_rollback fires`,
      ]);
  });

  it("is nothing of conditions that are inactive or unknown, and nothing once a plan is carried out", () => {
    const both = [condition("inactive"), condition("unknown")];
    for (const stage of IncidentStage.options) expect(conditionLines(incident(stage, both), NOW)).toEqual([]);
    const shown = IncidentStage.options.filter(
      (stage) => conditionLines(incident(stage, [condition("firing")]), NOW).length > 0,
    );
    expect(shown).toEqual(["detected", "investigated", "waiting-policy", "waiting-approval"]);
  });

  it("is one line a signal whatever its conditions say, in any words and states, with each policy once", () => {
    const policies = ["auto_rollback", "human_review", "page"] as const;
    const states = ["firing", "pending"] as const;
    const all = policies.flatMap((policy) =>
      states.flatMap((state) =>
        ["went from", "«error_rate of payments» went from", "now 22 %"].map((because) => ({
          ...condition(state, state === "pending" ? NOW + 60_000 : null),
          ...{ policy, because },
        })),
      ),
    );
    for (let left = 1; left < 2 ** all.length; left += 9973) {
      const some = all.filter((_, at) => (left >> at) % 2 === 1);
      const [line = "", ...others] = conditionLines(incident("investigated", some, [found]), NOW);
      expect(others).toEqual([]);
      for (const policy of policies) {
        const own = some.filter((one) => one.policy === policy);
        expect(line.split(policy).length - 1, line).toBe(own.length === 0 ? 0 : 1);
      }
      expect(line.split("payments").length - 1, line).toBe(1);
    }
  });

  it("is a number of what nobody reads at once", () => {
    for (let count = 1; count <= 20; count += 1) {
      const many = Array.from({ length: count }, (_, at) => ({ ...condition("firing"), service: `s${at}` }));
      const lines = conditionLines(incident("investigated", many), NOW);
      const left = /^and (\d+) more signals: unship status --json$/.exec(lines.at(-1) ?? "")?.[1];
      expect(lines.length).toBeLessThanOrEqual(7);
      expect(lines.length + (left === undefined ? 0 : Number(left) - 1)).toBe(count);
    }
  });

  it("stands in status, in words and as JSON, while the duration runs", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE })];
    await world.step(2);
    const { conditions } = await world.incident();
    expect(conditions.length).toBeGreaterThan(0);
    const words = await told(world, false);
    for (const line of conditionLines(await world.incident(), world.time.now)) expect(words).toContain(line);
    expect(words).toMatch(/auto_rollback fires at \d\d:\d\d:\d\d UTC if it holds/);
    expect(JSON.parse(await told(world, true)).open).toMatchObject([
      { conditions: [{ policy: "auto_rollback", state: "pending", fires_at: expect.stringMatching(/Z$/) }] },
    ]);
  });
});
