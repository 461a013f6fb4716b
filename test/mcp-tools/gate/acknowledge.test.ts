import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { incident as past } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN, BOB_TOKEN, openWorld, type World } from "./gate-world.ts";

const MINUTE = 60_000;
const policies = policyOf().policies.map((one) => ({ ...one, notification: ["slack:#incidents", "pagerduty:oncall"] }));
const escalate = [{ afterMs: 5 * MINUTE, to: ["pagerduty:second"] }];
const config = {
  ...policyOf({ mode: "approve" }),
  policies,
  approval: { ...policyOf().approval, remindAfterMs: 3 * MINUTE, escalate },
};

const openIncident = (change: Partial<Incident> = {}): Incident => ({
  ...past,
  id: "incident-1",
  stage: "waiting-approval",
  affectedServices: ["checkout"],
  plan: null,
  gate: null,
  recovery: null,
  outcome: null,
  closedAt: null,
  ...change,
});
const ack = (world: World, change: { readonly forMs?: number; readonly as?: "acknowledge" | "snooze" } = {}) =>
  world.gate.acknowledge("incident-1", ALICE_TOKEN, {
    as: "acknowledge",
    forMs: 30 * MINUTE,
    note: "looking",
    ...change,
  });
const kindsOf = async (world: World, kind: string) => await world.store.entries({ kinds: [kind] });

/** Whom the gate tells, asked this many minutes later. */
async function toldAfter(world: World, minutes: number): Promise<readonly string[]> {
  const start = world.notices.length;
  world.time.now += minutes * MINUTE;
  await world.gate.recover();
  return world.notices.slice(start).map(({ to }) => to);
}

describe("an acknowledgement", () => {
  it("stands in the ledger with who, until when, why, and what was known", async () => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    const { by, at, until } = await ack(world);
    expect({ by, lasts: until - at }).toEqual({ by: "alice", lasts: 30 * MINUTE });
    const [entry] = await kindsOf(world, "incident.acknowledged");
    expect(entry).toMatchObject({
      actor: "alice",
      incidentId: "incident-1",
      body: {
        as: "acknowledge",
        until,
        note: "looking",
        via: "desk",
        known: { services: ["checkout"], level: "high" },
      },
    });
    expect((await world.store.verify()).ok).toBe(true);
  });

  it.each([
    ["no incident", "incident-9", ALICE_TOKEN, 30 * MINUTE, {}, "incident.unknown"],
    [
      "a closed incident",
      "incident-1",
      ALICE_TOKEN,
      30 * MINUTE,
      { stage: "closed", outcome: "recovered" },
      "approval.refused",
    ],
    ["no approver's token", "incident-1", "mallory", 30 * MINUTE, {}, "approval.refused"],
    ["a service that is not theirs", "incident-1", BOB_TOKEN, 30 * MINUTE, { service: "search" }, "approval.refused"],
    ["a second", "incident-1", ALICE_TOKEN, 1000, {}, "input.invalid"],
    ["a month", "incident-1", ALICE_TOKEN, 31 * 86_400_000, {}, "input.invalid"],
    ["no time at all", "incident-1", ALICE_TOKEN, Number.NaN, {}, "input.invalid"],
  ] as const)("S14: of %s is refused, and nothing stands in the ledger", async (_, id, token, forMs, change, code) => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident(change));
    const asked = world.gate.acknowledge(id, token, { as: "snooze", forMs, note: "" });
    await expect(asked).rejects.toMatchObject({ code });
    expect(await kindsOf(world, "incident.acknowledged")).toEqual([]);
  });

  it("stops reminders and the next in line; without it they come", async () => {
    for (const acknowledged of [false, true]) {
      await using world = await openWorld({ config });
      await world.store.saveIncident(openIncident());
      const { plan } = await world.gate.propose(world.draft());
      expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
      if (acknowledged) await ack(world);
      const reminded = ["slack:#incidents", "pagerduty:oncall", "pagerduty:second"];
      expect(await toldAfter(world, 6)).toEqual(acknowledged ? [] : reminded);
    }
  });

  it("lets a plan that needs approval be asked for in the chat alone, with the incident and how to answer", async () => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    await world.store.saveIncident(openIncident({ id: "incident-2", service: "search" }));
    await ack(world);
    const { plan } = await world.gate.propose(world.draft());
    await world.gate.submit(plan.id);
    expect(world.notices.map(({ to }) => to)).toEqual(["slack:#incidents"]);
    expect(world.notices[0]?.symptom).toMatch(/^checkout degraded since .*: error rate 31 % \(baseline 0\.21 %\)/);
    expect(world.notices[0]?.lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Culprit: deploy checkout v1\.4\.1 → v1\.4\.2, .* by dana \(deploy-checkout-7\), 97 %$/),
        `Plan ${plan.id}: roll back Deployment production/checkout to v1`,
        `unship approve ${plan.id}`,
        "Also open: incident-2 search (needs a person)",
      ]),
    );
  });

  it.each([
    ["pages once more at its end where it is still degraded", {}, 1],
    [
      "pages nobody at its end where the signals are back",
      { timeline: [{ at: 0, event: "quiet since", detail: "" }] },
      0,
    ],
  ] as const)("%s", async (_, change, pages) => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    await ack(world);
    await world.store.saveIncident(
      openIncident({ ...change, timeline: [...("timeline" in change ? change.timeline : [])] }),
    );
    expect(await toldAfter(world, 29)).toEqual([]);
    expect(await toldAfter(world, 1)).toEqual(pages === 0 ? [] : ["slack:#incidents", "pagerduty:oncall"]);
    expect(await toldAfter(world, 60)).toEqual([]);
    await world.newGate().recover();
    expect(world.notices).toHaveLength(2 * pages);
    expect(await kindsOf(world, "acknowledgement.ended")).toMatchObject([
      { actor: "gate", body: { because: "its time is over", paged: pages > 0 } },
    ]);
  });

  const firing = { ...past.conditions[0], service: "gateway", state: "firing" } as Incident["conditions"][number];
  const impact = past.impact as NonNullable<Incident["impact"]>;
  it.each([
    ["a service that becomes affected", { affectedServices: ["checkout", "cart"] }, "cart became affected"],
    [
      "a condition that begins to hold",
      { conditions: [...past.conditions, firing] },
      "a condition began to hold: .* of gateway",
    ],
    ["an impact that rises", { impact: { ...impact, level: "critical" } }, "the impact rose from high to critical"],
    [
      "an act that does not help",
      {
        stage: "verifying",
        recovery: {
          verdict: "not-recovered",
          at: null,
          checks: [{ service: "checkout", metric: "error_rate", verdict: "not-recovered", because: "31 %" }],
        },
      },
      "the act did not bring recovery",
    ],
  ] as const)("is overtaken by %s: people are paged at once, told why, and it stays over", async (_, change, why) => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    await ack(world, { as: "snooze", forMs: 120 * MINUTE });
    await world.store.saveIncident({ ...openIncident(), ...change } as Incident);
    expect(await toldAfter(world, 1)).toEqual(["slack:#incidents", "pagerduty:oncall"]);
    expect(world.notices[0]).toMatchObject({ severity: "critical" });
    expect(world.notices[0]?.lines[0]).toMatch(new RegExp(`^alice snoozed it at .* until .*: ${why}`));
    await world.store.saveIncident(openIncident());
    expect(await toldAfter(world, 1)).toEqual([]);
    const [ended] = await kindsOf(world, "acknowledgement.ended");
    expect(ended?.body).toMatchObject({ paged: true, because: expect.stringMatching(why) });
    await ack(world);
    expect(await toldAfter(world, 29)).toEqual([]);
  });

  it.each([
    ["a service that recovers", { affectedServices: [] }],
    ["a condition that ends", { conditions: [] }],
    ["an impact that falls", { impact: { ...impact, level: "low" } }],
    ["an impact that is no longer known", { impact: null }],
  ] as const)("goes on beside %s", async (_, change) => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    await ack(world);
    await world.store.saveIncident({ ...openIncident(), ...change } as Incident);
    expect(await toldAfter(world, 1)).toEqual([]);
    expect(await kindsOf(world, "acknowledgement.ended")).toEqual([]);
  });

  it("pages at the end of each, by titles that a pager does not take for one alert", async () => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    for (const turn of [1, 2]) {
      await ack(world);
      expect(await toldAfter(world, 30), `turn ${turn}`).toHaveLength(2);
    }
    expect(new Set(world.notices.map(({ title }) => title)).size).toBe(2);
  });

  it("is replaced by a newer one, longer or shorter", async () => {
    await using world = await openWorld({ config });
    await world.store.saveIncident(openIncident());
    await ack(world, { forMs: 120 * MINUTE });
    await ack(world, { forMs: 5 * MINUTE });
    expect(await toldAfter(world, 4)).toEqual([]);
    expect(await toldAfter(world, 1)).toHaveLength(2);
  });
});
