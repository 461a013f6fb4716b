import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { worstFirst } from "../../../core/impact/worst-first.ts";
import type { Impact } from "../../../core/model/impact.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { GateAnswer, Plan } from "../../../core/model/plan.ts";
import { assessNaming, firing, MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident as past } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

const NAMES = ["cart", "checkout", "mail", "search", "web"] as const;
const TARGETS = [...NAMES, "billing-service"].map((name) => targetOf({ name }));

const configOf = (limits: { readonly hourly?: number; readonly daily?: number; readonly global?: number }) => {
  const policy = policyOf();
  return {
    ...policy,
    services: {},
    allowedActions: policy.allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: limits.hourly ?? null })),
    guardrails: {
      ...policy.guardrails,
      maxAutoRollbacksPerDay: limits.daily ?? null,
      cooldownMs: limits.global ?? 0,
      cooldownScope: limits.global === undefined ? ("service" as const) : ("global" as const),
    },
  };
};

const impactOf = (level: Impact["level"], failedShare = 0.1): Impact => ({
  ...(past.impact as Impact),
  level,
  failedShare,
});

const openOne = (service: string, impact: Impact | null, detectedAt: number): Incident => ({
  ...past,
  id: `inc-${service}`,
  service,
  stage: "investigated",
  detectedAt,
  onset: null,
  affectedServices: [service],
  conditions: [firing({ service })],
  impact,
  plan: null,
  gate: null,
  recovery: null,
  outcome: null,
  closedAt: null,
});

async function openShared(limits: Parameters<typeof configOf>[0]) {
  const world = await openWorld({ config: configOf(limits), parts: { assess: assessNaming(TARGETS) } });
  for (const target of TARGETS) world.targets.place(target);
  return world;
}

/** Opens an incident with its plan, as the watch does. */
async function planned(world: World, service: string, impact: Impact | null): Promise<Plan> {
  const incident = openOne(service, impact, world.time.now);
  await world.store.saveIncident(incident);
  const { plan } = await world.gate.propose(
    world.draft({ incidentId: incident.id, targets: [targetOf({ name: service })] }),
  );
  await world.store.saveIncident({ ...incident, plan, stage: "waiting-approval" });
  return plan;
}

/** Submits a plan and saves what came of it, as the watch does. */
async function submitted(world: World, plan: Plan, gate = world.gate): Promise<GateAnswer> {
  const answer = await gate.submit(plan.id);
  const incident = (await world.store.incident(plan.incidentId)) as Incident;
  const stage = answer.outcome === "executed" ? "verifying" : "waiting-approval";
  await world.store.saveIncident({ ...incident, gate: answer, stage });
  return answer;
}

const heldBy = ({ review }: GateAnswer) =>
  review.rules.filter(({ verdict }) => verdict !== "allow").map(({ rule }) => rule);

describe("scarce budget goes to the greater impact", () => {
  it.each([
    ["the last rollback of the hour", { hourly: 1 }, "rollbacks-per-hour"],
    ["the last automatic rollback of the day", { daily: 1 }, "auto-rollbacks-per-day"],
    ["a cooldown between any two", { global: 10 * MINUTE }, "cooldown"],
  ] as const)("%s: the lesser is held whichever asks first, and told by what", async (_, limits, rule) => {
    await using world = await openShared(limits);
    const lesser = await planned(world, "mail", impactOf("medium"));
    const worse = await planned(world, "cart", impactOf("critical"));
    const first = await submitted(world, lesser);
    expect(first.outcome).toBe("held");
    expect(heldBy(first)).toEqual(["worst-first"]);
    expect(first.review.rules.find((one) => one.rule === "worst-first")?.reason).toContain(
      `${worse.id} of the worse incident inc-cart (cart, impact critical) goes first`,
    );
    expect(await submitted(world, worse)).toMatchObject({ outcome: "executed" });
    const again = await submitted(world, lesser);
    expect(heldBy(again)).toEqual([rule]);
    expect(again.review.rules.find((one) => one.rule === rule)?.reason).toMatch(new RegExp(`${worse.id}.*inc-cart`));
  });

  it("a person may let the lesser run first all the same", async () => {
    await using world = await openShared({ hourly: 1 });
    const lesser = await planned(world, "mail", impactOf("medium"));
    await planned(world, "cart", impactOf("critical"));
    expect(await submitted(world, lesser)).toMatchObject({ outcome: "held" });
    await world.gate.approve(lesser.id, ALICE_TOKEN);
    expect(await submitted(world, lesser)).toMatchObject({ outcome: "executed" });
  });

  const change = async (world: World, id: string, by: Partial<Incident>) =>
    world.store.saveIncident({ ...((await world.store.incident(id)) as Incident), ...by });
  it.each<[string, string, (world: World, worse: Plan) => Promise<unknown>]>([
    ["has expired", "cart", async ({ time }) => (time.now += 16 * MINUTE)],
    ["waits for a person", "billing-service", submitted],
    [
      "the gate has denied",
      "cart",
      async (world, worse) => {
        await world.gate.pause("cart", "bob");
        expect(await submitted(world, worse)).toMatchObject({ outcome: "denied" });
      },
    ],
    [
      "is of an incident whose condition holds no more",
      "cart",
      (world) => change(world, "inc-cart", { conditions: [] }),
    ],
    [
      "is of an incident that is over",
      "cart",
      (world) => change(world, "inc-cart", { stage: "closed", outcome: "withdrawn", closedAt: world.time.now }),
    ],
  ])("a worse plan that %s keeps nobody back", async (_, service, happens) => {
    await using world = await openShared({ hourly: 1 });
    const worse = await planned(world, service, impactOf("critical"));
    await happens(world, worse);
    const lesser = await planned(world, "mail", impactOf("medium"));
    expect(await submitted(world, lesser)).toMatchObject({ outcome: "executed" });
    expect(world.targets.writes()).toHaveLength(1);
  });

  const drawn = fc.record({
    level: fc.constantFrom("low", "medium", "high", "critical", null),
    share: fc.constantFrom(0.1, 0.2),
  });

  it("S2: of many, asked in any order by two processes, exactly the worst run, as many as the budget lets", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(drawn, { minLength: 2, maxLength: NAMES.length }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        fc.boolean(),
        async (all, budget, order, daily) => {
          await using world = await openShared(daily ? { daily: budget } : { hourly: budget });
          const gates = [world.gate, world.newGate()];
          const plans: Plan[] = [];
          for (const [index, { level, share }] of all.entries()) {
            plans.push(await planned(world, NAMES[index] ?? "web", level === null ? null : impactOf(level, share)));
          }
          const executed = new Set<string>();
          for (const [turn, pick] of [...order, ...plans.keys(), ...plans.keys(), ...plans.keys()].entries()) {
            const plan = plans[pick % plans.length] as Plan;
            if (executed.has(plan.incidentId)) continue;
            const { outcome } = await submitted(world, plan, gates[turn % 2]);
            if (outcome === "executed") executed.add(plan.incidentId);
          }
          const worst = worstFirst(await world.store.incidents(), {}).slice(0, budget);
          expect([...executed].sort()).toEqual(worst.map(({ id }) => id).sort());
        },
      ),
      { numRuns: 25, seed: 7 },
    );
  });
});
