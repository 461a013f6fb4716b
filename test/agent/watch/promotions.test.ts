import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { createFlights } from "../../../agent/watch/flights.ts";
import { createPromotionDesk, promotionOf } from "../../../agent/watch/promotions.ts";
import { consequenceOf } from "../../../core/canary/judge.ts";
import type { LiveJudgement } from "../../../core/canary/live.ts";
import type { CanaryVerdict } from "../../../core/canary/model.ts";
import type { AllowedAction } from "../../../core/config/config.ts";
import { stateOf, waitingPlans } from "../../../core/guardrails/waiting-plans.ts";
import type { Change } from "../../../core/model/change.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { deploy } from "../../core/assessment/world.ts";
import { assessmentOf, NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld } from "./watch-world.ts";

const workload = { kind: "Rollout", namespace: "production", name: "cart" };
const change: Change = { ...(deploy("cart", 200) as Change), workload, fromRevision: "3", toRevision: "4" };
const allowed = (type: AllowedAction["type"]): readonly AllowedAction[] => [
  { type, namespaces: null, applications: null, environments: null, requireApproval: false, maxRollbacksPerHour: null },
];
const config = testConfig({ allowedActions: allowed("rollout_promote") });

function canary(verdict: CanaryVerdict): LiveJudgement {
  const judgement: LiveJudgement["judgement"] = {
    judge: "sequential",
    verdict,
    since: NOW - 300_000,
    until: NOW,
    samples: 20,
    mostSamples: 60,
    confidence: 0.95,
    metrics: [
      {
        service: "cart",
        metric: "error_rate",
        labels: {},
        unit: "ratio",
        verdict: verdict === "pass" ? "no-worse" : "inconclusive",
        baseline: 0.01,
        canary: 0.01,
        samples: 20,
        evidence: null,
        because: "1.00 % beside 1.00 %",
      },
    ],
    score: null,
    why: [`the judge says ${verdict}`],
  };
  const consequence = consequenceOf(judgement, { autoPromoteOnPass: true, autoRollbackOnFail: true });
  const versions = { version: "v1.1.0", stable: "v1.0.0" };
  return { change, service: "cart", ...versions, declared: true, since: NOW - 300_000, judgement, consequence };
}

/** Flights as a replay has them: all is waited for. */
const flights = createFlights({
  now: () => NOW,
  failed: (_, error) => {
    throw error;
  },
  late: () => undefined,
  landed: () => undefined,
});

/** A desk over a real gate, whose targets stand as the promotion expects them. */
async function opened() {
  const target = promotionOf(canary("pass"), config);
  if (target === null) throw new Error("nothing promotes it");
  const world = await openWorld({ config: { ...policyOf(), allowedActions: config.allowedActions, mode: "auto" } });
  world.targets.place(target);
  world.assessment = assessmentOf({ targets: [targetOf()] });
  const gate = world.newGate({ executors: [world.targets.executor("rollout_promote")] });
  const events: WatchEvent[] = [];
  const desk = () => {
    const made = createPromotionDesk(
      { config, ledger: world.store, gate, emit: (event) => events.push(event) },
      flights,
    );
    return { look: (live: readonly LiveJudgement[], now: number) => made.look(live, now, () => true) };
  };
  const plans = async () => (await world.store.entries({ kinds: ["plan.proposed"] })).map(({ planId }) => planId ?? "");
  return { world, gate, desk, events, plans };
}

describe("the promotion of a canary that passes", () => {
  it.each<[string, Change, readonly AllowedAction[], boolean]>([
    ["an Argo Rollout can be promoted", change, allowed("rollout_promote"), true],
    ["where the file allows it", change, allowed("rollout_abort"), false],
    [
      "a Deployment cannot",
      { ...change, workload: { ...workload, kind: "Deployment" } },
      allowed("rollout_promote"),
      false,
    ],
    ["nor what has no revision", { ...change, toRevision: undefined } as never, allowed("rollout_promote"), false],
  ])("%s", (_, one, allowedActions, expected) => {
    expect(promotionOf({ change: one, service: "cart", version: "v1.1.0" }, { allowedActions }) !== null).toBe(
      expected,
    );
  });

  it("is put before a person by a plan through the gate, once, also after a restart; nothing is done without one", async () => {
    const { world, desk, events, plans } = await opened();
    await using _ = world;
    await desk().look([canary("pass")], NOW);
    await desk().look([canary("pass")], NOW + 15_000);
    expect(await plans()).toHaveLength(1);
    expect(events.map(({ text }) => text)).toEqual([expect.stringContaining(`unship approve ${(await plans())[0]}`)]);
    expect(world.targets.writes()).toEqual([]);
  });

  it("is carried out once a person approved it, and only once", async () => {
    const { world, gate, desk, events, plans } = await opened();
    await using _ = world;
    const one = desk();
    await one.look([canary("pass")], NOW);
    const [planId = ""] = await plans();
    await gate.approve(planId, ALICE_TOKEN);
    await one.look([canary("pass")], NOW + 15_000);
    await one.look([canary("pass")], NOW + 30_000);
    expect(world.targets.writes()).toHaveLength(1);
    expect(events.at(-1)?.text).toContain("promotion of cart v1.1.0: executed");
  });

  it("is carried out once a pause that denied it is over, as status says of an approved plan, and is told of it once", async () => {
    const { world, gate, desk, events, plans } = await opened();
    await using _ = world;
    const one = desk();
    await one.look([canary("pass")], NOW);
    const [planId = ""] = await plans();
    await gate.approve(planId, ALICE_TOKEN);
    await gate.pause("all", "bob");
    for (let look = 1; look <= 12; look += 1) {
      world.time.now = NOW + look * 15_000;
      await one.look([canary("pass")], world.time.now);
    }
    expect(world.targets.writes()).toEqual([]);
    expect(events.filter(({ text }) => text.includes(": denied"))).toHaveLength(1);
    const waiting = await waitingPlans(world.store, world.time.now);
    expect(waiting.map((plan) => stateOf(plan, world.time.now))).toEqual(["approved"]);
    await gate.resume("all", ALICE_TOKEN);
    for (let look = 13; look <= 20; look += 1) {
      world.time.now = NOW + look * 15_000;
      await one.look([canary("pass")], world.time.now);
    }
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("is not carried out where it passes no more, though a person approved it", async () => {
    const { world, gate, desk, plans } = await opened();
    await using _ = world;
    const one = desk();
    await one.look([canary("pass")], NOW);
    await gate.approve((await plans())[0] ?? "", ALICE_TOKEN);
    await one.look([canary("fail")], NOW + 15_000);
    await one.look([], NOW + 30_000);
    expect(world.targets.writes()).toEqual([]);
  });

  it("is not put before the gate again and again once its time is over, though a person approved it", async () => {
    const { world, gate, desk, plans } = await opened();
    await using _ = world;
    const one = desk();
    await one.look([canary("pass")], NOW);
    await gate.approve((await plans())[0] ?? "", ALICE_TOKEN);
    const reviewed = async () => (await world.store.entries({ kinds: ["plan.reviewed"] })).length;
    const before = await reviewed();
    for (let look = 0; look < 3; look += 1) {
      world.time.now = NOW + 3_600_000 + look * 15_000;
      await one.look([canary("pass")], world.time.now);
    }
    expect(await reviewed()).toBe(before);
    expect(world.targets.writes()).toEqual([]);
  });

  it.each(["continue", "fail", "inconclusive"] as const)("is not proposed while the verdict is %s", async (verdict) => {
    const { world, desk, plans } = await opened();
    await using _ = world;
    await desk().look([canary(verdict)], NOW);
    expect(await plans()).toEqual([]);
  });
});

describe("a promotion while incidents are open", () => {
  const edges = [["web", "cart"]] as const;
  it.each([
    ["goes on while something that nothing joins to it is degraded", "checkout", edges, 1],
    ["goes on where no call graph is known, and another service is degraded", "checkout", [], 1],
    ["waits while its own service is degraded", "cart", edges, 0],
    ["waits while what calls it is degraded", "web", edges, 0],
  ] as const)("%s", async (_, degraded, known, proposals) => {
    const world = await openWatchWorld({
      config: { allowedActions: [...allowed("rollout_promote")] },
      parts: {
        look: async () => {
          const { findings, conditions } = await world.gather(world.time.now);
          return { findings, conditions, gaps: [], canaries: [canary("pass")] };
        },
        gather: async (now) => ({ ...(await world.gather(now)), topology: { edges: known, external: [] } }),
      },
    });
    await using _world = world;
    world.troubles = [
      world.trouble({
        services: [degraded],
        action: "no_action",
        culprit: null,
        targets: [],
        noChangeProbability: 0.9,
      }),
    ];
    await world.step(3);
    expect(world.watch.open()).toHaveLength(1);
    expect(await world.store.entries({ kinds: ["canary.promotion-proposed"] })).toHaveLength(proposals);
  });
});
