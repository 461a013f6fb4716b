import { describe, expect, it } from "vitest";
import { recordOf } from "../../../core/guardrails/graduation.ts";
import { judgeRecovery } from "../../../core/guardrails/recovery.ts";
import { isRecoveryConfirmed } from "../../../core/model/incident.ts";
import { fill, inputOf, STEP, seriesOf } from "../../core/guardrails/recovery-inputs.ts";
import { MINUTE } from "../../core/guardrails/rule-inputs.ts";
import { FEEDBACK, openWatchWorld, type WatchWorld } from "./watch-world.ts";

/** A watch whose samples are back from the act on; what its policies say is what the world says. */
async function backAtOnce(): Promise<WatchWorld> {
  const world = await openWatchWorld();
  await world.restart({
    recovery: async ({ gate }, { at, conditions }) => {
      const startAt = at - 9 * STEP;
      const isOver = at >= (gate?.executedAt ?? at) + FEEDBACK.timeoutMs;
      return judgeRecovery({
        ...inputOf(),
        series: [seriesOf("error_rate", fill(0.002), { startAt }), seriesOf("request_rate", fill(20), { startAt })],
        conditions,
        executedAt: at - 5 * MINUTE,
        now: at,
        timeoutMs: isOver ? MINUTE : 10 * MINUTE,
      });
    },
  });
  world.troubles = [world.trouble()];
  await world.step();
  return world;
}

/** Until the verification's time is over, and data cannot be late any more. */
const TIME = Math.ceil((FEEDBACK.timeoutMs + 5 * MINUTE) / STEP);

describe("S9: an incident whose samples are back after its act", () => {
  it("is recovered once no condition holds, and not before", async () => {
    await using world = await backAtOnce();
    await world.step(3);
    expect(await world.incident()).toMatchObject({
      stage: "verifying",
      outcome: null,
      recovery: { verdict: "pending" },
    });
    world.troubles = [];
    await world.step(2);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    expect(world.remembered.map(isRecoveryConfirmed)).toEqual([true]);
  });

  it.each(["firing", "pending"] as const)(
    "is unknown and never recovered where a condition stays %s: people are told, memory holds no confirmed recovery, and mode auto is no nearer",
    async (condition) => {
      await using world = await backAtOnce();
      world.troubles = [world.trouble({ condition, worse: false })];
      await world.step(TIME);
      const incident = await world.incident();
      expect(incident.outcome).toBe("unknown");
      expect(incident.recovery?.verdict).toBe("unknown");
      expect(world.events.map(({ text }) => text).join("\n")).not.toMatch(
        /recovered [0-9a-z]+ after onset|back within baseline/,
      );
      expect(world.notices.length).toBeGreaterThan(0);
      expect(world.remembered.length).toBeGreaterThan(0);
      expect(world.remembered.some(isRecoveryConfirmed)).toBe(false);
      const answers = new Map([[incident.plan?.id ?? "", "approve" as const]]);
      expect(recordOf("checkout", [incident], answers, new Set())).toMatchObject({ proposals: 1, recoveredInARow: 0 });
    },
  );
});
