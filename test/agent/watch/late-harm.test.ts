import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Target } from "../../../core/model/plan.ts";
import { changeOf, MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import type { Trouble } from "./trouble.ts";
import { FEEDBACK, openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const NO_LIMITS = { ...policyOf().guardrails, cooldownMs: 0, escalateToHumanAfter: null };
/** The verification's time, and as long again for signals that are on their way back. */
const WHILE_STEPS = (2 * FEEDBACK.timeoutMs) / STEP_MS + 4;

/**
 * Checkout is taken back for what hurts it and cart; another change was made beside it, and hurts cart later. `says`: what
 * the evidence has to say of that one. `lag`: steps after the act; null: cart was hurt before the act, and still is.
 */
interface Late {
  readonly madeMs: number;
  readonly lag: number | null;
  readonly first: "recovered" | "not-recovered" | "pending";
  readonly firstEndsAfter: number;
  readonly says: "blames it" | "suspects it";
  readonly restart: boolean;
}

const drawn = fc.record<Late>({
  madeMs: fc.constantFrom(-9 * MINUTE, -2 * MINUTE, -5000),
  lag: fc.constantFrom(2, 5, 20, 60),
  first: fc.constantFrom("recovered", "not-recovered", "pending"),
  firstEndsAfter: fc.constantFrom(1, 8, 30),
  says: fc.constantFrom("blames it", "suspects it"),
  restart: fc.boolean(),
});

const other: Target = targetOf({ name: "cart" });

async function play({ madeMs, lag, first, firstEndsAfter, says, restart }: Late): Promise<WatchWorld> {
  const world = await openWatchWorld({ config: { guardrails: NO_LIMITS } });
  world.targets.place(other);
  const startedAt = world.time.now + STEP_MS + madeMs;
  const { gather } = world;
  world.gather = async (now) => {
    const file = await gather(now);
    const changes = file.changes.filter(({ id }) => id !== other.changeId);
    return { ...file, changes: [...changes, changeOf(other, { startedAt, finishedAt: startedAt + MINUTE })] };
  };
  const firstTrouble = world.trouble({ services: ["checkout", "cart"] });
  world.troubles = [firstTrouble];
  await world.step();
  const suspected: Partial<Trouble> = { action: "no_action", needsPerson: ["not sure"], noChangeProbability: 0.4 };
  const culprit = { changeId: other.changeId, probability: says === "blames it" ? 0.97 : 0.6 };
  const isVain = first === "not-recovered";
  const stays = isVain ? [world.trouble({ since: firstTrouble.since })] : [];
  const late = (since: number) =>
    world.trouble({ services: ["cart"], culprit, since, ...(says === "blames it" ? {} : suspected) }, other);
  for (let step = 1; step <= Math.max(lag ?? 0, firstEndsAfter) + WHILE_STEPS; step += 1) {
    if (step === firstEndsAfter) world.recovery = first;
    const begins = lag === null ? firstTrouble.since : world.time.now;
    if (step === (lag ?? 1)) world.troubles = [...stays, late(begins)];
    else if (step === 1) world.troubles = stays.length > 0 ? stays : [];
    if (restart && step === (lag ?? 0) + 3) await world.restart();
    if (written(world).includes("Deployment/production/cart")) world.troubles = stays;
    await world.step();
  }
  return world;
}

const written = ({ targets }: WatchWorld) => targets.writes().map(({ object }) => object);
const told = ({ events }: WatchWorld, id: string) =>
  events.filter(({ event, text }) => event === "incident.escalated" && text.includes(id));

describe("a change from before an act that begins to hurt after it", () => {
  it("is undone in an incident of its own where the evidence blames it, or else told as a suspect, once, when the act is verified", async () => {
    const seen = { blamed: 0, ofItsOwn: 0, told: 0 };
    await fc.assert(
      fc.asyncProperty(drawn, async (late) => {
        await using world = await play(late);
        const incidents = await world.incidents();
        expect(incidents.length).toBeLessThanOrEqual(2);
        expect(world.texts("incident.detected")).toHaveLength(incidents.length);
        expect(new Set(written(world)).size).toBe(written(world).length);
        const own = incidents.find(({ decision }) => decision?.culprit?.changeId === other.changeId);
        if (late.says === "blames it") {
          seen.blamed += 1;
          expect(own?.gate).toMatchObject({ outcome: "executed" });
          expect(written(world)).toEqual(["Deployment/production/checkout", "Deployment/production/cart"]);
          return;
        }
        expect(written(world)).toEqual(["Deployment/production/checkout"]);
        if (own !== undefined) seen.ofItsOwn += 1;
        else {
          seen.told += 1;
          expect(told(world, other.service)).toHaveLength(1);
        }
      }),
      { numRuns: 40, seed: 21 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(3);
  }, 180_000);

  it("is no second guess: what hurt before the act and goes on through it opens nothing and undoes nothing more", async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (late) => {
        await using world = await play({ ...late, lag: null, first: "not-recovered", says: "blames it" });
        expect(await world.incidents()).toHaveLength(1);
        expect(written(world)).toEqual(["Deployment/production/checkout"]);
      }),
      { numRuns: 15, seed: 22 },
    );
  }, 120_000);

  it("is said to be older than the act, where people read what the act is judged by no longer", async () => {
    await using world = await play({
      ...{ madeMs: -2 * MINUTE, lag: 2, first: "recovered", firstEndsAfter: 8 },
      ...{ says: "blames it", restart: false },
    });
    const [first, second] = await world.incidents();
    expect(first?.outcome).toBe("recovered");
    expect(first?.superseded).toEqual([
      {
        service: "cart",
        what: `cart v1 → v2 changed cart 2m before the act, with a degradation that began after the act, and is investigated in ${second?.id}`,
      },
    ]);
  });
});
