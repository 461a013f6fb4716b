import { describe, expect, it } from "vitest";
import { noKnownChange } from "../../../agent/watch/nothing-undone.ts";
import type { Change } from "../../../core/model/change.ts";
import { NO_INCIDENT, type Target } from "../../../core/model/plan.ts";
import { wayBackText } from "../../../core/model/recorded.ts";
import { assessmentOf, changeOf, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { blameless, type Trouble } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const QUIET_TICKS = 12;

/** What an assistant proposes, and alice approves; it waits for the watch to carry it out. */
async function approved(world: WatchWorld, target: Target, incidentId: string = NO_INCIDENT): Promise<string> {
  world.targets.place(target);
  const draft = { incidentId, targets: [target], reason: "customers complain", proposedBy: "mcp:stdio:assistant" };
  const { plan } = await world.gate.propose(draft);
  await world.gate.approve(plan.id, ALICE_TOKEN);
  return plan.id;
}

/** A change is suspected, and not surely enough to be undone. */
const unsure = (culprit: Trouble["culprit"], noChangeProbability = 0.47): Partial<Trouble> => ({
  action: "no_action",
  culprit,
  noChangeProbability,
});

describe("S15, S9: a plan outside any incident that takes back what an incident suspects", () => {
  it.each([
    ["the likeliest change", { changeId: targetOf().changeId, probability: 0.53 }],
    ["a change that is blamed", { changeId: targetOf().changeId, probability: 0.97 }],
  ])("is an act of that incident, verified and told as one: %s", async (_, culprit) => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    world.troubles = [world.trouble(unsure(culprit))];
    await world.step(2);
    const plan = await approved(world, targetOf());
    world.recovery = "pending";
    // What was rolled back is no suspect of what is left.
    world.troubles = [world.trouble({ ...blameless, condition: "firing" })];
    await world.step();
    expect(await world.incident()).toMatchObject({
      stage: "verifying",
      plan: { id: plan },
      gate: { outcome: "executed" },
    });
    world.troubles = [];
    world.recovery = "recovered";
    await world.step();
    const incident = await world.incident();
    expect(incident).toMatchObject({ stage: "closed", outcome: "recovered", gate: { planId: plan } });
    expect(world.texts("incident.escalated").join()).not.toContain("No change is the culprit");
    expect(world.remembered.at(-1)).toMatchObject({ outcome: "recovered" });
    expect(world.drafted).toEqual([incident.id]);
  });

  it("is none of an incident of another service, which is judged by itself", async () => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    world.troubles = [world.trouble(unsure({ changeId: targetOf().changeId, probability: 0.53 }))];
    await world.step(2);
    await approved(world, targetOf({ service: "cart", name: "cart", changeId: "deploy-cart" }));
    await world.step(2);
    expect(world.targets.writes()).toHaveLength(1);
    expect(await world.incident()).toMatchObject({ plan: null, gate: null });
  });

  it("is none of an incident that has a plan of its own about another change", async () => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    world.troubles = [world.trouble()];
    await world.step(2);
    const { plan } = await world.incident();
    await approved(world, targetOf({ name: "checkout-worker", changeId: "deploy-worker" }));
    await world.step(2);
    expect(world.targets.writes()).toHaveLength(1);
    expect(await world.incident()).toMatchObject({ stage: "waiting-approval", plan: { id: plan?.id } });
  });
});

/** The changes that every source tells of, beside those of the script. */
function withChanges(world: WatchWorld, changes: () => readonly Change[]): void {
  const { gather, assess } = world;
  world.gather = async (now) => {
    const file = await gather(now);
    return { ...file, changes: [...file.changes, ...changes().filter(({ startedAt }) => startedAt <= now)] };
  };
  world.assess = (file, focus) => ({ ...assess(file, focus), changes: [...file.changes] });
}

const deploy = (id: string, startedAt: number): Change =>
  changeOf(targetOf({ changeId: id }), { startedAt, finishedAt: startedAt });

describe("S15, S9: how signals came back for which the incident itself did nothing", () => {
  type Done = "a plan outside any" | "a plan of another incident" | "a deploy" | "a suspected deploy";
  /** When it was done: within the onset's credible interval, or after that. */
  type When = "while it began" | "then";

  it.each<[sequence: readonly (readonly [Done, When])[], said: RegExp]>([
    [[], /^with no known change$/],
    [[["a deploy", "then"]], /^after somebody had changed checkout \S+ → \S+$/],
    [
      [["a deploy", "while it began"]],
      /^\(why is not known: checkout was changed while it began \(checkout \S+ → \S+\)\)$/,
    ],
    [[["a suspected deploy", "while it began"]], /^with no known change$/],
    [[["a suspected deploy", "then"]], /^with no known change$/],
    [[["a plan outside any", "then"]], /^after unship had carried out plan-1 \(roll back .*\), approved by alice$/],
    [
      [["a plan of another incident", "then"]],
      /^after unship had carried out plan-1 \(roll back .*\), approved by alice$/,
    ],
    [
      [
        ["a suspected deploy", "while it began"],
        ["a plan outside any", "then"],
      ],
      /^after unship had carried out plan-1/,
    ],
    [
      [
        ["a deploy", "then"],
        ["a plan outside any", "then"],
      ],
      /^after unship had carried out plan-1/,
    ],
    [
      [
        ["a plan outside any", "then"],
        ["a deploy", "then"],
      ],
      /^after somebody had changed checkout/,
    ],
  ])("%j", async (sequence, said) => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    const changes: Change[] = [];
    withChanges(world, () => changes);
    const suspected = sequence.some(([what]) => what === "a suspected deploy");
    world.troubles = [
      world.trouble({
        ...blameless,
        ...(suspected ? unsure({ changeId: "a suspected deploy", probability: 0.5 }, 0.4) : {}),
      }),
    ];
    await world.step();
    const { onset } = await world.incident();
    if (onset === null) throw new Error("the incident has an onset");
    for (const [what, when] of sequence) {
      if (what.startsWith("a plan"))
        await approved(world, targetOf({ changeId: "old" }), what.endsWith("any") ? NO_INCIDENT : "another");
      else changes.push(deploy(what, when === "then" ? world.time.now + 1 : onset.latest - 1));
      await world.step();
    }
    world.troubles = [];
    await world.step(QUIET_TICKS + 10);
    const { stage, backBy, outcome, changes: recorded } = await world.incident();
    expect({ stage, outcome }).toEqual({ stage: "closed", outcome: "no-action" });
    expect(backBy && wayBackText(backBy, recorded)).toMatch(said);
  });
});

describe("S9: what people hear of what is left after a change was rolled back", () => {
  it.each([
    ["by a rollback of ours", { ownRollback: true }],
    ["by somebody", {}],
  ])("is never that no change is the culprit: %s", async (_, by) => {
    await using world = await openWatchWorld();
    const bad = changeOf(targetOf());
    const back = () => ({
      ...bad,
      id: "back",
      from: "v2",
      to: "v1",
      startedAt: world.time.now,
      finishedAt: null,
      ...by,
    });
    const changes = [bad];
    withChanges(world, () => changes);
    world.troubles = [world.trouble(unsure({ changeId: bad.id, probability: 0.53 }))];
    await world.step();
    changes.push(back());
    world.troubles = [world.trouble({ ...blameless, condition: "firing", noChangeProbability: 0.99 })];
    await world.step(60);
    expect(world.texts("incident.escalated").length).toBeGreaterThan(0);
    expect(world.texts("incident.escalated").join()).not.toContain("No change is the culprit");
  });

  it("is what it would be without it, where what was rolled back is joined to nothing that is degraded", () => {
    const bad = changeOf(targetOf(), { startedAt: NOW - 20 * MINUTE, finishedAt: NOW - 19 * MINUTE });
    const back = { ...bad, id: "back", from: "v2", to: "v1", startedAt: NOW, finishedAt: null };
    const nobody = { candidates: [], noChangeProbability: 0.99, noChangeReasons: [], rootCauses: [] };
    const assessment = assessmentOf({ changes: [bad, back] });
    const judged = {
      ...assessment,
      answers: { correlate_timing: { ranking: nobody, threshold: 0.8, reached: false } },
    };
    const since = { ...incident, detectedAt: NOW - MINUTE };
    expect(noKnownChange(since, judged)).toBe(false);
    expect(noKnownChange(since, { ...judged, elsewhere: [bad.id, back.id] })).toBe(true);
  });

  it("while a plan for it is carried out, nothing is decided anew; and what never ends holds nothing up", async () => {
    await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
    world.troubles = [world.trouble(unsure({ changeId: targetOf().changeId, probability: 0.53 }))];
    await world.step();
    world.targets.place(targetOf());
    const draft = { incidentId: NO_INCIDENT, targets: [targetOf()], reason: "customers complain", proposedBy: "mcp" };
    const { plan } = await world.gate.propose(draft);
    await world.store.append({
      kind: "plan.reserved",
      incidentId: NO_INCIDENT,
      planId: plan.id,
      actor: "gate",
      body: {},
    });
    world.troubles = [world.trouble({ ...blameless, condition: "firing", noChangeProbability: 0.99 })];
    await world.step((2 * 60_000) / STEP_MS);
    expect(world.texts("incident.escalated")).toEqual([]);
    await world.step((10 * 60_000) / STEP_MS);
    expect(world.texts("incident.escalated")).toHaveLength(1);
  });
});
