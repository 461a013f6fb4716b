import { describe, expect, it } from "vitest";
import { policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, openWorld, type World } from "./gate-world.ts";

const MINUTE = 60_000;
const approval = {
  ...policyOf().approval,
  remindAfterMs: 3 * MINUTE,
  escalate: [
    { afterMs: 5 * MINUTE, to: ["pagerduty:second"] },
    { afterMs: 9 * MINUTE, to: ["pagerduty:boss", "slack:#all"] },
  ],
};
const config = { ...policyOf({ mode: "approve" }), approval };

/** Opens the incident that plans are of; with no plan yet, which would take the place of the one that is proposed. */
const openIncident = ({ store }: World) =>
  store.saveIncident({
    ...incident,
    id: "incident-1",
    stage: "waiting-approval",
    plan: null,
    outcome: null,
    closedAt: null,
  });

/** A plan of an open incident that waits for a person, and what was told of it so far left out. */
async function waiting(world: World): Promise<string> {
  await openIncident(world);
  const { plan } = await world.gate.propose(world.draft());
  expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  world.notices.length = 0;
  return plan.id;
}

/** Whom the gate tells when it is asked this many minutes after the plan was held. */
async function toldAfter(world: World, minutes: number): Promise<readonly string[]> {
  const start = world.notices.length;
  world.time.now += minutes * MINUTE;
  await world.gate.recover();
  return world.notices.slice(start).map(({ to }) => to);
}

describe("a plan that nobody answers", () => {
  it("is told again to those who were asked, then to the next in line, each once", async () => {
    await using world = await openWorld({ config });
    const plan = await waiting(world);
    expect(await toldAfter(world, 2)).toEqual([]);
    expect(await toldAfter(world, 1)).toEqual(["slack:#incidents"]);
    expect(await toldAfter(world, 1)).toEqual([]);
    expect(await toldAfter(world, 1)).toEqual(["pagerduty:second"]);
    expect(await toldAfter(world, 4)).toEqual(["pagerduty:boss", "slack:#all"]);
    expect(await toldAfter(world, 1)).toEqual([]);
    const [reminder] = world.notices;
    expect(reminder?.lines).toEqual(
      expect.arrayContaining([
        "It has waited for 3m, and expires in 12m: unanswered, nothing is executed; the watch files a new plan while it is needed.",
        "One of these may approve: alice, bob",
        `unship approve ${plan}`,
      ]),
    );
    const entries = await world.store.entries({ kinds: ["notice.sent"] });
    expect(entries.map(({ body }) => body)).toMatchObject([
      { about: "held" },
      { about: "reminder" },
      { about: "escalation 1", to: "pagerduty:second" },
      { about: "escalation 2", to: "pagerduty:boss" },
      { about: "escalation 2", to: "slack:#all" },
    ]);
  });

  it("is told at once to all whose time has come, when nobody looked for a while, and not again after a restart", async () => {
    await using world = await openWorld({ config });
    await waiting(world);
    world.time.now += 6 * MINUTE;
    await world.newGate().recover();
    await world.newGate().recover();
    expect(world.notices.map(({ to }) => to)).toEqual(["slack:#incidents", "pagerduty:second"]);
  });

  it("reaches the next in line though no policy names anybody to tell first", async () => {
    const policies = config.policies.map((one) => ({ ...one, notification: [] }));
    await using world = await openWorld({ config: { ...config, policies } });
    await waiting(world);
    expect(await toldAfter(world, 6)).toEqual(["pagerduty:second"]);
  });

  it("stands in the ledger as undelivered where the notifier fails", async () => {
    const notifier = { notify: () => Promise.reject(new Error("a secret")) };
    await using world = await openWorld({ config, parts: { notifier } });
    await waiting(world);
    world.time.now += 3 * MINUTE;
    await world.gate.recover();
    expect(await world.store.entries({ kinds: ["notice.undelivered"] })).toMatchObject([
      { body: { about: "held" } },
      { body: { about: "reminder", detail: "the notifier failed" } },
    ]);
  });

  it.each([
    ["was approved", (world: World, plan: string) => world.gate.approve(plan, ALICE_TOKEN)],
    ["was rejected", (world: World, plan: string) => world.gate.reject(plan, ALICE_TOKEN, "innocent")],
    [
      "expired",
      async (world: World) => {
        world.time.now += 15 * MINUTE;
      },
    ],
  ])("is told to nobody any more once it %s", async (_, answer) => {
    await using world = await openWorld({ config });
    await answer(world, await waiting(world));
    expect(await toldAfter(world, 6)).toEqual([]);
  });

  it("is told again while only one of two people has approved", async () => {
    const twoPersons = [{ services: null, actions: null, criticality: "low" as const }];
    await using world = await openWorld({ config: { ...config, approval: { ...approval, twoPersons } } });
    await world.gate.approve(await waiting(world), ALICE_TOKEN);
    expect(await toldAfter(world, 3)).toEqual(["slack:#incidents"]);
    expect(world.notices[0]?.lines.join()).toContain("Two of these have to approve: alice, bob");
  });
});

describe("a client that files plans in a loop", () => {
  const flooding = (n: number) => ({ proposedBy: `mcp:http(bot):client-${n}`, reason: `the ${n}th time that I ask` });
  let asked = 0;
  /** Another plan each time: for the same one there is but one question. */
  const file = async (world: World, by: { readonly proposedBy: string; readonly reason: string }) => {
    asked += 1;
    const targets = [targetOf({ changeId: `deploy-checkout-${asked}` })];
    const { plan } = await world.gate.propose(world.draft({ ...by, targets }));
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    await world.gate.submit(plan.id);
    return plan;
  };
  const titles = (world: World) => world.notices.map(({ title }) => title);

  it("wakes people for six plans an hour, once for all the others, whatever it calls itself; nothing is lost", async () => {
    await using world = await openWorld({ config });
    const plans = [];
    for (let n = 1; n <= 20; n += 1) plans.push(await file(world, flooding(n)));
    expect(titles(world)).toEqual([
      ...Array.from({ length: 6 }, () => "Rollback of checkout needs a person"),
      "mcp:http(bot) asks for many approvals",
    ]);
    const entries = await world.store.entries({ kinds: ["notice.undelivered"] });
    expect(entries.map(({ planId }) => planId)).toEqual(plans.slice(6).map(({ id }) => id));
    expect(entries[0]?.body).toMatchObject({
      heldBack: true,
      detail: expect.stringContaining("asked for 6 approvals"),
    });
    expect(await world.store.entries({ kinds: ["plan.proposed"] })).toHaveLength(20);
    // Others are told as ever, and so are its own plans when the hour is over.
    await file(world, { proposedBy: "mcp:http(alice):client-1", reason: "errors" });
    await file(world, { proposedBy: "watch", reason: "errors" });
    expect(titles(world).slice(7)).toEqual(Array.from({ length: 2 }, () => "Rollback of checkout needs a person"));
    world.time.now += 61 * MINUTE;
    await file(world, flooding(21));
    expect(titles(world)).toHaveLength(10);
    await world.gate.approve((await file(world, flooding(22))).id, ALICE_TOKEN);
  });

  it("that are the same plan asks people once", async () => {
    await using world = await openWorld({ config });
    const ids = [];
    for (let n = 1; n <= 20; n += 1) {
      const { plan } = await world.gate.propose(world.draft(flooding(n)));
      await world.gate.submit(plan.id);
      ids.push(plan.id);
    }
    expect(new Set(ids).size).toBe(1);
    expect(titles(world)).toEqual(["Rollback of checkout needs a person"]);
  });

  it("is not helped by reminders of what was held back, and the watch's own plans are never held back", async () => {
    await using world = await openWorld({ config });
    await openIncident(world);
    for (let n = 1; n <= 8; n += 1) await file(world, flooding(n));
    world.notices.length = 0;
    expect(await toldAfter(world, 3)).toHaveLength(6);
    world.notices.length = 0;
    for (let n = 1; n <= 9; n += 1) await file(world, { proposedBy: "watch", reason: "errors" });
    expect(world.notices).toHaveLength(9);
  });
});
