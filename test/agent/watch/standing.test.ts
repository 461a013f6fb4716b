import { describe, expect, it } from "vitest";
import { standingDecision } from "../../../agent/watch/standing.ts";
import type { Assessment } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Decision } from "../../../core/model/decision.ts";
import type { GateAnswer } from "../../../core/model/plan.ts";
import { changeOf, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const bad = changeOf(targetOf());
const told: Decision = {
  action: "hotfix_recommendation",
  service: "checkout",
  culprit: { changeId: bad.id, probability: 0.95 },
  changeIds: [],
  automatic: true,
  needsPerson: ["it is a migration"],
  why: [`${bad.id} is the cause`],
  hotfix: null,
  decidedAt: NOW - MINUTE,
};
const nothing: Decision = {
  ...told,
  action: "no_action",
  needsPerson: [],
  why: ["the newest samples are back at what is usual: looking again"],
};
const unsure: Decision = { ...nothing, needsPerson: ["the culprit is below the configured confidence"] };
const takenBack: Decision = { ...nothing, needsPerson: [`${bad.id} is already rolled back`] };
const rollback: Decision = { ...told, action: "rollback", changeIds: [bad.id] };
const held = { outcome: "held" } as GateAnswer;

describe("a decision that people were asked to answer", () => {
  interface Row {
    readonly was?: Decision;
    readonly gate?: GateAnswer;
    readonly is: Decision;
    readonly reached?: boolean;
    readonly changes?: readonly Change[];
    /** When what is wrong now began, after what was decided upon did. */
    readonly laterBy?: number;
  }
  const rows: readonly (readonly [string, Row, boolean])[] = [
    ["stands while the newest samples look better", { is: nothing }, true],
    ["stands where the same change is a little less sure", { is: unsure, reached: false }, true],
    ["gives way to another culprit", { is: { ...nothing, culprit: { changeId: "other", probability: 0.9 } } }, false],
    ["gives way where no change is likelier than any", { is: { ...nothing, culprit: null } }, false],
    [
      "stands where what is wrong now began later, and no change is blamed for it",
      { is: { ...nothing, culprit: null }, laterBy: 10 * MINUTE },
      true,
    ],
    [
      "gives way where another change is blamed for what began later",
      { is: { ...nothing, culprit: { changeId: "other", probability: 0.9 } }, laterBy: 10 * MINUTE },
      false,
    ],
    ["gives way to a decision to act", { is: rollback }, false],
    ["gives way where there is another reason to leave it", { is: takenBack }, false],
    [
      "gives way where somebody replaced the change",
      {
        is: nothing,
        changes: [bad, changeOf(targetOf(), { id: "fix", from: "v2", to: "v3", startedAt: NOW - MINUTE })],
      },
      false,
    ],
    ["stands while its plan waits for a yes", { was: rollback, gate: held, is: nothing }, true],
    ["is none where nobody was asked yet", { was: rollback, is: nothing }, false],
    ["is none where there was nothing to do", { was: nothing, is: nothing }, false],
  ];
  it.each(rows)("%s", (_, { was = told, gate, is, reached = true, changes = [bad], laterBy = 0 }, stands) => {
    const onsetAt = (at: number) => ({ at, earliest: at - MINUTE, latest: at + MINUTE });
    const answers = {
      identify_recent_deployments: { onset: onsetAt(NOW - 20 * MINUTE + laterBy) },
      correlate_timing: { ranking: {}, threshold: 0.8, reached },
    } as Assessment["answers"];
    const incident = { decision: was, gate: gate ?? null, onset: onsetAt(NOW - 20 * MINUTE) };
    expect(standingDecision(incident, { decision: is, answers }, { changes, at: NOW })).toBe(stands ? was : null);
  });
});

describe("people who are to mend something by hand", () => {
  /** A hotfix is recommended; then the samples are well for a moment, and bad again. */
  async function flapping(action: "hotfix_recommendation" | "rollback"): Promise<WatchWorld> {
    const world = await openWatchWorld();
    const needsPerson = action === "rollback" ? ["checkout is listed under never_auto_rollback"] : [];
    const trouble = world.trouble({ action, needsPerson });
    for (let round = 0; round < 5; round += 1) {
      world.troubles = [trouble];
      await world.step(12);
      world.troubles = [{ ...trouble, action: "no_action", needsPerson: [] }];
      await world.step(2);
    }
    return world;
  }

  it.each(["hotfix_recommendation", "rollback"] as const)(
    "hear of it once, whatever lulls come: %s",
    async (action) => {
      await using world = await flapping(action);
      expect(world.texts("incident.decided")).toHaveLength(1);
      expect(world.texts("incident.escalated")).toHaveLength(action === "rollback" ? 0 : 1);
      expect((await world.incident()).decision?.action).toBe(action);
      expect(world.targets.writes()).toEqual([]);
    },
  );

  it("find it recommended when the trouble is over in the end", async () => {
    await using world = await flapping("hotfix_recommendation");
    world.troubles = [];
    await world.step((10 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ outcome: "recommended" });
  });
});
