import { describe, expect, it } from "vitest";
import { status } from "../../../agent/cli/status.ts";
import { LEDGER_KINDS } from "../../../core/guardrails/gate-store.ts";
import { type GateAnswer, NO_INCIDENT, type Plan, type TargetResult } from "../../../core/model/plan.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { pastComposition } from "../../evals/lab/past-composition.ts";
import { blameless } from "../watch/trouble.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";

const TARGETS = [targetOf(), targetOf({ name: "cart" })] as const;

/** Where a plan comes from that the gate carries out. */
const ORIGINS: Readonly<Record<string, (world: WatchWorld) => Promise<Plan>>> = {
  "outside any incident": (world) => proposed(world, NO_INCIDENT),
  "in an open incident, which decided on nothing": async (world) => {
    world.troubles = [world.trouble(blameless)];
    await world.step(2);
    return proposed(world, (await world.incident()).id);
  },
  "in an incident that waits with a plan of its own": async (world) => {
    world.troubles = [world.trouble({ needsPerson: ["no automatic condition holds"] })];
    await world.step(2);
    return proposed(world, (await world.incident()).id);
  },
  "in an incident that is closed": async (world) => {
    world.troubles = [world.trouble(blameless)];
    await world.step(2);
    const plan = await proposed(world, (await world.incident()).id);
    world.troubles = [];
    await world.step(30);
    expect(await world.incident()).toMatchObject({ stage: "closed" });
    return plan;
  },
};

async function proposed(world: WatchWorld, incidentId: string): Promise<Plan> {
  for (const target of TARGETS) world.targets.place(target);
  const draft = { incidentId, targets: [...TARGETS], reason: "complaints", proposedBy: "mcp:stdio:assistant" };
  return (await world.gate.propose(draft)).plan;
}

const { planReserved, planRecovering, planAnswered, targetAttempted, targetFinished } = LEDGER_KINDS;
const resultOf = (position: 0 | 1, result: TargetResult["result"]): TargetResult => ({
  ...{ target: TARGETS[position], result, detail: "", at: 1, warnings: [] },
});
const answered = ({ id }: Plan, ...results: TargetResult[]): GateAnswer => ({
  ...{ planId: id, outcome: "stopped", review: { verdict: "allow", rules: [] }, results, executedAt: null },
});

const begun = { kind: planReserved, body: { owner: "host:1", approvedBy: "alice" } } as const;
const tried = { kind: targetAttempted, body: { position: 0 } } as const;
const done = { kind: targetFinished, body: { position: 0, result: resultOf(0, "done") } } as const;
const unknown = { kind: targetFinished, body: { position: 0, result: resultOf(0, "unknown") } } as const;
type Written = (plan: Plan) => { readonly kind: string; readonly body: unknown };

/** How far it has come, what stands of its first target, and whether a process is said to be at it. */
const STATES: readonly (readonly [string, readonly Written[], said: RegExp, atIt: boolean])[] = [
  ["is begun", [() => begun], /1\. Deployment production\/checkout: not begun/, true],
  ["was sent, and not answered", [() => begun, () => tried], /1\. .*the outcome is not known yet/, true],
  [
    "is half done",
    [() => begun, () => tried, () => done],
    /1\. .*rolled back, it is at v1.*2\. Deployment production\/cart: not begun/s,
    true,
  ],
  [
    "was answered with what nobody knows",
    [
      () => begun,
      () => tried,
      () => unknown,
      (plan) => ({ kind: planAnswered, body: answered(plan, resultOf(0, "unknown")) }),
    ],
    /1\. .*NOT KNOWN/,
    false,
  ],
  [
    "is taken up again",
    [() => begun, () => tried, () => ({ kind: planRecovering, body: { owner: "host:2" } })],
    /1\. .*the outcome is not known yet/,
    true,
  ],
];

async function told(world: WatchWorld, hasEnded: boolean, json = false): Promise<string> {
  const { composition, printed } = pastComposition(testConfig(), { metrics: [] } as never, world.time.now);
  const to = {
    ...composition,
    ledger: async () => ({ ...world.store, close: async () => undefined }),
    atWork: async () => ({ ledger: "the ledger", isThere: true, processes: [], gate: null }),
    hasEnded: async () => hasEnded,
  };
  await status(to, { json });
  return printed.out;
}

const write = async ({ store }: WatchWorld, plan: Plan, written: readonly Written[]) => {
  for (const entry of written)
    await store.append({ ...entry(plan), incidentId: plan.incidentId, planId: plan.id, actor: "gate" });
};

describe("S9, S15: status says that a source of changes is unknown wherever it names the likeliest change, or none", () => {
  const UNHEARD = "kubernetes did not say changes: it does not answer";
  it.each<[string, Record<string, unknown>]>([
    ["no change", blameless],
    ["a change that waits for a person", { needsPerson: ["no automatic condition holds"] }],
  ])("%s", async (_, trouble) => {
    for (const because of [["it does not answer"], []]) {
      await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
      world.troubles = [{ ...world.trouble(trouble), unheard: because }];
      await world.step(2);
      const line = `other changes may have been made: ${UNHEARD}`;
      expect((await told(world, false)).includes(line)).toBe(because.length > 0);
      expect(JSON.parse(await told(world, false, true)).open).toMatchObject([{ unheard: because.map(() => UNHEARD) }]);
    }
  });
});

describe("S5, S15: status hides no act that is not settled, whoever proposed its plan", () => {
  for (const [origin, propose] of Object.entries(ORIGINS))
    it.each(STATES)(`one ${origin} that %s`, async (_, written, said, atIt) => {
      await using world = await openWatchWorld({ config: { mode: "approve", modeIsDefault: false } });
      const plan = await propose(world);
      await write(world, plan, written);
      const words = await told(world, false);
      expect(words).toContain(`${plan.id}  proposed by mcp:stdio:assistant`);
      expect(words).toMatch(said);
      expect(words).not.toContain("the process that was at it has ended");
      expect((await told(world, true)).includes("the process that was at it has ended")).toBe(atIt);
      expect(JSON.parse(await told(world, true, true)).acts).toMatchObject([
        { plan: plan.id, incident: plan.incidentId === NO_INCIDENT ? null : plan.incidentId, abandoned: atIt },
      ]);
      await write(world, plan, [
        (one) => ({ kind: planAnswered, body: answered(one, resultOf(0, "done"), resultOf(1, "refused")) }),
      ]);
      expect(JSON.parse(await told(world, true, true)).acts).toEqual([]);
    });

  it("the watch's own is shown with its incident, and not a second time", async () => {
    await using world = await openWatchWorld();
    world.targets.mark(targetOf(), { behaviour: "silent" });
    world.troubles = [world.trouble()];
    const acting = world.step();
    while (world.targets.calls().length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    world.targets.remove(targetOf());
    await acting;
    const words = await told(world, false);
    expect(words.match(/NOT KNOWN/g)).toHaveLength(1);
    expect(JSON.parse(await told(world, false, true))).toMatchObject({
      acts: [],
      open: [{ targets: [{ state: "unknown" }] }],
    });
  });
});
