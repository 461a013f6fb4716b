import { expect } from "vitest";
import type { GateAnswer } from "../../../../core/model/plan.ts";
import { DAY, HOUR } from "./catalog.ts";
import type { Model } from "./model.ts";
import { type ModelPlan, thingOf } from "./verdict.ts";

/**
 * S2: whatever the order was in which several processes came, no budget is exceeded, no target is taken twice, and each
 * answer says what stands. `before`: the writes that had happened when they began.
 */
export function checkRace(
  model: Model,
  plans: readonly ModelPlan[],
  answers: readonly GateAnswer[],
  before: ReadonlySet<string>,
): void {
  const ran = plans.filter(({ outcome }) => outcome === "executed");
  for (const { planId, outcome, results } of answers) {
    for (const [position, { result }] of results.entries()) {
      if (outcome === "denied" || outcome === "held") continue;
      expect(result === "done", `${planId}:${position} ${result}`).toBe(model.written.has(`${planId}:${position}`));
    }
  }
  const things = ran.flatMap(({ targets }) => targets.map(({ thing }) => thing));
  expect(new Set(things).size, "one plan a target").toBe(things.length);
  expect(model.written.size - before.size).toBe(things.length);
  if (ran.length === 0) return;
  const used = model.acts.filter((act) => act.used);
  const { perHour, perDay, cooldownForAll, cooldownMs } = model.limits;
  const hourly = used.filter(
    ({ target, at }) => thingOf(target.thing).action === "kubectl_rollout_undo" && at > model.ledgerNow - HOUR,
  );
  const daily = used.filter(({ automatic, at }) => automatic && at > model.ledgerNow - DAY);
  const undone = ran.some(({ targets }) =>
    targets.some(({ thing }) => thingOf(thing).action === "kubectl_rollout_undo"),
  );
  if (perHour !== null && undone) expect(hourly.length, "units this hour").toBeLessThanOrEqual(perHour);
  if (perDay !== null) expect(daily.length, "automatic units today").toBeLessThanOrEqual(perDay);
  if (cooldownForAll && cooldownMs > 0) expect(ran.length, "cooldown for all").toBe(1);
  if (cooldownMs === 0) return;
  const services = ran.map(({ targets }) => new Set(targets.map(({ thing }) => thingOf(thing).service)));
  const all = services.flatMap((one) => [...one]);
  expect(new Set(all).size, "cooldown by service").toBe(all.length);
}
