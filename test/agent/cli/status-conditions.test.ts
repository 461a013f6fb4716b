import { describe, expect, it } from "vitest";
import { status } from "../../../agent/cli/status.ts";
import { conditionLines } from "../../../core/guardrails/pending-conditions.ts";
import type { ConditionState } from "../../../core/model/finding.ts";
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

describe("what an open incident's policies wait for", () => {
  it("is the signal, its value and threshold, how long it has held of how long it has to, and when it fires", () => {
    expect(conditionLines({ stage: "waiting-policy", conditions: [condition("pending", NOW + 80_000)] }, NOW)).toEqual([
      "error_rate of payments: now 22 %, beyond 5 % for 1m40s of 3m; auto_rollback fires at 14:11:20 UTC if it holds",
    ]);
  });

  it.each([
    ["firing", null, "; auto_rollback fires"],
    ["pending", null, "; auto_rollback is pending"],
  ] as const)("%s without a moment to come says so", (state, fires, ending) => {
    const lines = conditionLines({ stage: "investigated", conditions: [condition(state, fires)] }, NOW);
    expect(lines).toEqual([`error_rate of payments: now 22 %, beyond 5 % for 1m40s${ending}`]);
  });

  it("is nothing of conditions that are inactive or unknown, and nothing once a plan is carried out", () => {
    const both = [condition("inactive"), condition("unknown")];
    for (const stage of IncidentStage.options) expect(conditionLines({ stage, conditions: both }, NOW)).toEqual([]);
    const firing = [condition("firing")];
    const shown = IncidentStage.options.filter(
      (stage) => conditionLines({ stage, conditions: firing }, NOW).length > 0,
    );
    expect(shown).toEqual(["detected", "investigated", "waiting-policy", "waiting-approval"]);
  });

  it("is one line of what holds for several policies, and a number of what nobody reads at once", () => {
    const two = ["auto_rollback", "human_review"].map((policy) => ({ ...condition("firing"), policy }));
    expect(conditionLines({ stage: "investigated", conditions: two }, NOW)).toEqual([
      "error_rate of payments: now 22 %, beyond 5 % for 1m40s; auto_rollback and human_review fire",
    ]);
    for (let count = 1; count <= 20; count += 1) {
      const many = Array.from({ length: count }, (_, at) => ({ ...condition("firing"), service: `s${at}` }));
      const lines = conditionLines({ stage: "investigated", conditions: many }, NOW);
      const left = /^and (\d+) more conditions: unship status --json$/.exec(lines.at(-1) ?? "")?.[1];
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
