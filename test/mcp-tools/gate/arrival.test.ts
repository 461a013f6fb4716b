import { describe, expect, it } from "vitest";
import type { GateAnswer } from "../../../core/model/plan.ts";
import type { Arrival, Executor, Gate } from "../../../core/ports.ts";
import { assessmentOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWorld, type World } from "./gate-world.ts";
import { Life } from "./promises/mortal.ts";

const TARGETS = ["web", "checkout", "cart"].map((name) => targetOf({ name }));
const LIMITS = { arrivalPollMs: 1, arrivalTimeoutMs: 10_000, reconcileDelaysMs: [0] } as const;

/** Three targets in dependency order; what each says when it is asked whether it has come up. */
async function coordinated(limits: { readonly arrivalTimeoutMs?: number; readonly inspectTimeoutMs?: number } = {}) {
  const world = await openWorld();
  for (const target of TARGETS) world.targets.place(target);
  world.assessment = assessmentOf({ targets: TARGETS });
  const says = new Map<string, Arrival["state"] | "no answer" | "silence">(
    TARGETS.map(({ service }) => [service, "coming"]),
  );
  const asked: string[] = [];
  const gone = new Set<string>();
  const gate = (owner: string, life = new Life()): Gate => {
    const executor: Executor = {
      ...life.executor(world.targets.executor("kubectl_rollout_undo")),
      arrived: async ({ service }) => {
        asked.push(service);
        const state = says.get(service) ?? "coming";
        if (state === "no answer") throw new Error("no answer");
        if (state === "silence") return new Promise(() => {});
        return { state, detail: "1 of 3 pods serve" };
      },
    };
    return world.newGate({
      executors: [executor],
      store: life.store(world.store),
      owner: { id: owner, gone: (other) => gone.has(other) },
      limits: { ...LIMITS, ...limits },
    });
  };
  const { plan } = await world.gate.propose(world.draft({ targets: TARGETS }));
  return { world, says, asked, gone, gate, plan, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

const written = (world: World) => world.targets.writes().map(({ object }) => object.split("/").at(-1));
const kinds = ({ results }: GateAnswer) => results.map(({ result }) => result);

/** Asks until the plan is over, as a watch does on each of its ticks. */
async function ended(gate: Gate, planId: string): Promise<GateAnswer> {
  const patience = AbortSignal.timeout(20_000);
  for (;;) {
    const answer = await gate.submit(planId);
    if (answer.outcome !== "in-progress") return answer;
    patience.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a plan of several targets", () => {
  it("says at once that it is in progress while one comes up, and starts the next only when it has", async () => {
    await using s = await coordinated();
    const gate = s.gate("one");
    expect(await gate.submit(s.plan.id)).toMatchObject({ outcome: "in-progress", results: [] });
    expect(written(s.world)).toEqual(["web"]);
    expect(await gate.recover()).toEqual([]);
    s.says.set("web", "arrived");
    while (written(s.world).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await gate.submit(s.plan.id)).toMatchObject({ outcome: "in-progress" });
    expect(written(s.world)).toEqual(["web", "checkout"]);
    s.says.set("checkout", "arrived");
    const answer = await ended(gate, s.plan.id);
    expect([answer.outcome, ...kinds(answer)]).toEqual(["executed", "done", "done", "done"]);
    expect(new Set(s.asked), "the last one is what verification looks at").toEqual(new Set(["web", "checkout"]));
  });

  it("waits for nothing where everything is up already", async () => {
    await using s = await coordinated();
    for (const { service } of TARGETS) s.says.set(service, "arrived");
    expect(await s.gate("one").submit(s.plan.id)).toMatchObject({ outcome: "executed" });
  });

  it.each([
    ["will not come up", "not-coming", {}, /web was rolled back and does not come up: 1 of 3 pods serve/],
    [
      "does not come up in time",
      "coming",
      { arrivalTimeoutMs: 5 },
      /web was rolled back and has not come up within 5ms/,
    ],
    [
      "cannot be asked in time",
      "no answer",
      { arrivalTimeoutMs: 5 },
      /has not come up within 5ms: it could not be read/,
    ],
  ] as const)("stops where one %s, tells people what stands where and how to go on", async (_, state, limits, says) => {
    await using s = await coordinated(limits);
    s.says.set("web", state);
    const answer = await ended(s.gate("one"), s.plan.id);
    expect([answer.outcome, ...kinds(answer)]).toEqual(["stopped", "done", "refused", "refused"]);
    expect(answer.results[1]?.detail).toMatch(says);
    expect(written(s.world)).toEqual(["web"]);
    while (s.world.notices.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const text = s.world.notices[0]?.lines.join("\n");
    expect(text).toContain("1. Deployment production/web: rolled back, it is at v1");
    expect(text).toMatch(/3\. Deployment production\/cart: not rolled back/);
    expect(text).toContain(
      "to go on: fix what stopped it, then let a new plan roll back Deployment production/checkout, Deployment production/cart",
    );
    const units = await s.world.store.transact((tx) => tx.intents({ planId: s.plan.id }));
    expect(
      units.map(({ released }) => released),
      "what was not begun costs nothing",
    ).toEqual([false, true, true]);
  });

  it("does not wait longer where each look takes long: what stands half-way is told in time", async () => {
    await using s = await coordinated({ arrivalTimeoutMs: 500, inspectTimeoutMs: 250 });
    s.says.set("web", "silence");
    const answer = await ended(s.gate("one"), s.plan.id);
    expect(answer.results[1]?.detail).toContain("it could not be read (no answer within 250 ms)");
    // Counted by pauses of 1 ms alone it would be 500 looks.
    expect(s.asked.length).toBeLessThanOrEqual(4);
  });

  it("stops after the wait where somebody paused it meanwhile", async () => {
    await using s = await coordinated();
    const gate = s.gate("one");
    await gate.submit(s.plan.id);
    await gate.pause("checkout", "cli:zoe");
    s.says.set("web", "arrived");
    const answer = await ended(gate, s.plan.id);
    expect([answer.outcome, ...kinds(answer)]).toEqual(["stopped", "done", "refused", "refused"]);
    expect(answer.results[1]?.detail).toContain("paused by cli:zoe");
  });

  it("S5: goes on waiting after a crash, and repeats nothing", async () => {
    await using s = await coordinated();
    // Reserve, redeem, attempt, act, result, look what is next; then it waits, and dies as it says that it is still there.
    const life = new Life({ step: 7, phase: "before" });
    expect(await s.gate("one", life).submit(s.plan.id)).toMatchObject({ outcome: "in-progress" });
    while (!life.died) await new Promise((resolve) => setTimeout(resolve, 5));
    s.gone.add("one");
    const gate = s.gate("two");
    expect(await gate.recover()).toMatchObject([{ outcome: "in-progress" }]);
    expect(written(s.world)).toEqual(["web"]);
    s.says.set("web", "arrived").set("checkout", "arrived");
    expect(await ended(gate, s.plan.id)).toMatchObject({ outcome: "executed" });
    expect(written(s.world)).toEqual(["web", "checkout", "cart"]);
  });

  it("is left alone by other processes while it waits, however long that takes", async () => {
    await using s = await coordinated({ arrivalTimeoutMs: 10 * 60_000 });
    await s.gate("one").submit(s.plan.id);
    for (const _ of [1, 2, 3]) {
      s.world.time.now += 2 * 60_000;
      const asked = s.asked.length;
      while (s.asked.length < asked + 3) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await s.gate("two").recover()).toEqual([]);
    }
    s.says.set("web", "arrived").set("checkout", "arrived");
    expect(await ended(s.gate("three"), s.plan.id)).toMatchObject({ outcome: "executed" });
  });
});
