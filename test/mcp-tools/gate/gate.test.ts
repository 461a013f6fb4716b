import { describe, expect, it } from "vitest";
import { openWorld } from "./gate-world.ts";

describe("gate", () => {
  it("S1: executes the plan that its own fresh decision names while an automatic condition holds", async () => {
    await using world = await openWorld();
    const { plan, review } = await world.gate.propose(world.draft());
    expect(review.verdict).toBe("allow");
    const answer = await world.gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "executed", planId: plan.id, results: [{ result: "done" }] });
    expect(world.targets.writes()).toMatchObject([{ key: `${plan.id}:0`, version: "v1" }]);
    expect((await world.store.entries()).map(({ kind }) => kind)).toEqual([
      "plan.proposed",
      "plan.reviewed",
      "plan.reviewed",
      "plan.reserved",
      "permit.redeemed",
      "target.attempted",
      "target.finished",
      "plan.answered",
    ]);
    expect(await world.store.verify()).toMatchObject({ ok: true, problems: [] });
  });
});
