import { describe, expect, it } from "vitest";
import type { Target } from "../../../core/model/plan.ts";
import { assessmentOf, HOUR, MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWorld, type World } from "./gate-world.ts";

const kindsOf = async (world: World) => (await world.store.entries()).map(({ kind }) => kind);

async function run(world: World, targets: readonly Target[]) {
  const { plan } = await world.gate.propose(world.draft({ targets }));
  return { plan, answer: await world.gate.submit(plan.id) };
}

/** How the gate answers, over time and to many: once a plan, told once, never by a clock that lies. */
describe("the gate's answers", () => {
  it("runs a plan once: asked again, it tells what came of it", async () => {
    await using world = await openWorld();
    const { plan, answer } = await run(world, [targetOf()]);
    world.targets.place(targetOf());
    expect(await world.gate.submit(plan.id)).toEqual(answer);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("runs a plan once where many ask at the same time", async () => {
    await using world = await openWorld();
    const { plan } = await world.gate.propose(world.draft());
    const answers = await Promise.all(Array.from({ length: 6 }, () => world.newGate().submit(plan.id)));
    expect(answers.filter(({ outcome }) => outcome === "executed").length).toBeGreaterThan(0);
    for (const { outcome, review } of answers.filter((one) => one.outcome !== "executed")) {
      expect({ outcome, rules: review.rules.map(({ rule }) => rule) }).toEqual({
        outcome: "in-progress",
        rules: ["in-progress"],
      });
    }
    expect(world.targets.calls()).toHaveLength(1);
  });

  it.each([
    ["no targets", { targets: [] }, "targets"],
    ["a target that is none", { targets: [{ ...targetOf(), action: "rm -rf" }] }, "action"],
    ["one object twice", { targets: [targetOf(), targetOf({ service: "web" })] }, "is in it twice"],
    ["no incident", { incidentId: "" }, "incidentId"],
    ["something that no plan has", { permitted: true }, "permitted"],
  ])("refuses a draft with %s", async (_, change, says) => {
    await using world = await openWorld();
    const draft = { ...world.draft(), ...change } as ReturnType<World["draft"]>;
    await expect(world.gate.propose(draft)).rejects.toThrow(says);
    expect(await world.store.entries()).toEqual([]);
  });

  it("refuses a plan that it does not know", async () => {
    await using world = await openWorld();
    await expect(world.gate.submit("plan-x")).rejects.toMatchObject({ code: "plan.unknown" });
  });

  it("tells people once that a plan waits for them, whom and why", async () => {
    await using world = await openWorld({ config: policyOf({ mode: "approve" }) });
    const { plan } = await world.gate.propose(world.draft());
    await world.gate.submit(plan.id);
    await world.gate.submit(plan.id);
    expect(world.notices).toMatchObject([
      {
        to: "slack:#incidents",
        title: "Rollback of checkout needs a person",
        severity: "warning",
        incidentId: "incident-1",
      },
    ]);
    expect(world.notices[0]?.lines.at(-1)).toBe(`unship approve ${plan.id}`);
    expect(await kindsOf(world)).toContain("notice.sent");
    expect(await kindsOf(world)).not.toContain("notice.undelivered");
  });

  it("a notifier that fails or hangs changes nothing of the answer", async () => {
    for (const notify of [() => Promise.reject(new Error("slack")), () => new Promise<never>(() => {})]) {
      await using world = await openWorld({
        config: policyOf({ mode: "approve" }),
        parts: { notifier: { notify }, limits: { noticeTimeoutMs: 20 } },
      });
      const { answer } = await run(world, [targetOf()]);
      expect(answer.outcome).toBe("held");
      expect(await world.store.entries({ kinds: ["notice.undelivered"] })).toHaveLength(1);
      expect(await world.store.entries({ kinds: ["notice.sent"] })).toEqual([]);
    }
  });

  it("S4: a plan expires while it waits", async () => {
    await using world = await openWorld();
    const { plan } = await world.gate.propose(world.draft());
    world.time.now += 15 * MINUTE;
    const answer = await world.gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "denied" });
    expect(answer.review.rules[0]).toMatchObject({ rule: "expired-plan" });
  });

  it("S2: a clock that jumped back gives no budget back, and is noticed", async () => {
    await using world = await openWorld();
    await run(world, [targetOf()]);
    world.time.now -= 5 * HOUR;
    const other = targetOf({ name: "cart" });
    world.targets.place(other);
    world.assessment = assessmentOf({ targets: [other] });
    const { answer } = await run(world, [other]);
    expect(answer.outcome).toBe("held");
    expect(answer.review.rules.map(({ rule }) => rule)).toContain("clock");
  });
});
