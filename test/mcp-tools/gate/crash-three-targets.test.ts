import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import { planProgress, progressLines, type TargetProgress, waysOn } from "../../../core/guardrails/plan-progress.ts";
import type { GateAnswer, Plan } from "../../../core/model/plan.ts";
import type { Gate, Ledger } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { postmortem } from "../../../knowledge/postmortem.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import { openDesk } from "../../agent/cli/run-cli.ts";
import { assessmentOf, NOW, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { incident } from "../../knowledge/incidents.ts";
import { incidentOf } from "./promises/company.ts";
import { type Crash, Life } from "./promises/mortal.ts";
import { targetOf } from "./promises/situation.ts";
import { Targets } from "./promises/targets.ts";
import type { PlannedTarget } from "./promises/verdict.ts";

const THINGS = ["web", "checkout", "cart"] as const;
const PLANNED: readonly PlannedTarget[] = THINGS.map((thing) => ({
  thing,
  changeId: `deploy-${thing}`,
  expected: { version: "v2", revision: "7" },
  restore: { version: "v1", revision: "6" },
}));
/** What a submitted plan of three targets does: the ledger is written, or a target is. */
const STEPS = ["reserve", "redeem", ...THINGS.flatMap((one) => [`attempt ${one}`, `act ${one}`, `result ${one}`])];
const POINTS = STEPS.flatMap((name, index) =>
  (["before", "inside", "after"] as const)
    .filter((phase) => phase !== "inside" || !name.startsWith("act"))
    .map((phase): readonly [string, Crash] => [`${phase} ${name}`, { step: index + 1, phase }]),
);

/** Three workloads in dependency order, a plan for them, and gates that can die. */
class World implements AsyncDisposable {
  readonly targets = new Targets();
  readonly store: Ledger & GateStore;
  readonly #gone = new Set<string>();
  #gates = 0;
  #ids = 0;

  constructor(store: Ledger & GateStore) {
    this.store = store;
    for (const { thing, expected } of PLANNED) this.targets.stands.set(thing, expected);
  }

  gate(life = new Life()): Gate {
    const owner = `gate-${++this.#gates}`;
    const policy = policyOf();
    return createGate({
      config: { ...policy, services: {}, approvers: [] },
      store: life.store(this.store),
      executors: this.targets.executors().map((executor) => life.executor(executor)),
      assess: async (_, at) => assessmentOf({ at, targets: PLANNED.map(targetOf) }),
      clock: { now: () => NOW },
      notifier: { notify: async () => ({ delivered: true, detail: "" }) },
      newId: () => `id-${++this.#ids}`,
      owner: { id: owner, gone: (other) => this.#gone.has(other) },
      limits: { reconcileDelaysMs: [0] },
    });
  }

  async propose(): Promise<Plan> {
    const draft = { incidentId: "incident-1", targets: PLANNED.map(targetOf), reason: "errors", proposedBy: "watch" };
    return (await this.gate().propose(draft)).plan;
  }

  /** Lets a process die at a point of what it does. */
  async die(crash: Crash, act: (gate: Gate) => Promise<unknown>): Promise<void> {
    const life = new Life(crash);
    await act(this.gate(life)).catch((error: unknown) => {
      if (!life.died) throw error;
    });
    this.#gone.add(`gate-${this.#gates}`);
  }

  async progress(plan: Plan): Promise<readonly TargetProgress[]> {
    return planProgress(plan, await this.store.entries({ incidentId: plan.incidentId }));
  }

  /** What the ledger says of each target holds of what is there, and nothing acted out of its turn. */
  async expectTruth(plan: Plan): Promise<readonly TargetProgress[]> {
    const progress = await this.progress(plan);
    await this.expectDraftTrue(plan, progress);
    for (const [position, { state }] of progress.entries()) {
      const written = this.targets.writes.some(({ key }) => key === `${plan.id}:${position}`);
      const says = { done: true, begun: null, unknown: null }[state as string] ?? state === "done";
      if (state !== "begun" && state !== "unknown") expect([position, state, written]).toEqual([position, state, says]);
      if (written && position > 0) expect(progress[position - 1]?.state, "each waits for the one before").toBe("done");
    }
    return progress;
  }

  /** What a draft of the incident says meanwhile, whose own record knows of no answer of the gate, or of one from before. */
  async expectDraftTrue(plan: Plan, progress: readonly TargetProgress[]): Promise<void> {
    const { gate } = incident;
    if (gate === null) throw new Error("the incident has an answer of the gate");
    const held: GateAnswer = { ...gate, planId: plan.id, outcome: "held", results: [], executedAt: null };
    const entries = await this.store.entries({ incidentId: plan.incidentId });
    for (const known of [null, held, { ...held, outcome: "in-progress" as const }]) {
      const open = {
        ...incident,
        stage: "executing" as const,
        plan,
        gate: known,
        recovery: null,
        outcome: null,
        closedAt: null,
      };
      const draft = postmortem(open, entries);
      const denies = /nothing (was|has been) (executed|written)|no action|did not act/i.test(draft);
      if (progress.some(({ state }) => state === "begun" || state === "done" || state === "unknown")) {
        expect(denies, draft).toBe(false);
        if (progress.some(({ state }) => state === "begun")) expect(draft).toContain("the outcome is not known yet");
      } else expect(draft).toMatch(/nothing has been (executed|written)|Whether it recovers is not known/i);
      expect(draft).toContain("**The incident is open.**");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}

const open = async (path = ":memory:") => new World(await openSqliteLedger(path, { clock: { now: () => NOW } }));
const states = (progress: readonly TargetProgress[]) => progress.map(({ state }) => state);
const kinds = (answer: GateAnswer | undefined) => answer?.results.map(({ result }) => result);

describe("S5: a plan of three targets whose process is killed", () => {
  it("takes the steps that are listed here", async () => {
    await using world = await open();
    const plan = await world.propose();
    const life = new Life();
    expect(await world.gate(life).submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(life.steps).toBe(STEPS.length);
  });

  it.each(POINTS)("%s is described truthfully, and ends with each target taken back once", async (_, crash) => {
    await using world = await open();
    const plan = await world.propose();
    await world.die(crash, (gate) => gate.submit(plan.id));
    await world.expectTruth(plan);
    const gate = world.gate();
    await gate.recover();
    await world.expectTruth(plan);
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(states(await world.expectTruth(plan))).toEqual(["done", "done", "done"]);
    expect(world.targets.writes.map(({ thing }) => thing)).toEqual(THINGS);
  });

  it.each(POINTS)("%s, and paused before the restart, stops and says what stands where", async (_, crash) => {
    await using world = await open();
    const plan = await world.propose();
    await world.die(crash, (gate) => gate.submit(plan.id));
    const gate = world.gate();
    await gate.pause("*", "cli:zoe");
    const [answer] = await gate.recover();
    const progress = await world.expectTruth(plan);
    const written = world.targets.writes.length;
    const reserved = answer !== undefined;
    expect(states(progress)).toEqual(
      THINGS.map((_thing, at) => (at < written ? "done" : reserved ? "untouched" : progress[at]?.state)),
    );
    if (answer?.outcome === "stopped" && written > 0) {
      expect(progressLines(progress)[0]).toBe("1. Deployment production/web: rolled back, it is at v1");
      expect(progressLines(progress)[2]).toMatch(
        /not rolled back \(not (started|done).*everything is paused by cli:zoe/,
      );
      expect(waysOn(progress).join("\n")).toMatch(
        /to go on: .*production\/cart.*\nto undo the half: kubectl rollout undo/,
      );
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("twice, the second time at step %i of its recovery", async (step) => {
    await using world = await open();
    const plan = await world.propose();
    await world.die({ step: 7, phase: "after" }, (gate) => gate.submit(plan.id));
    for (const phase of ["before", "after"] as const) {
      await world.die({ step, phase }, (gate) => gate.recover());
      await world.expectTruth(plan);
    }
    const gate = world.gate();
    await gate.recover();
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
    expect(world.targets.writes.map(({ thing }) => thing)).toEqual(THINGS);
  });

  it.each([
    ["fail", ["done", "failed", "refused"], "FAILED, it is at v2 as far as is known (the API answered 422)"],
    ["moves-first", ["done", "stale", "refused"], "not rolled back (it is at hot)"],
    ["deaf", ["done", "unknown", "refused"], "NOT KNOWN: it was tried, and the target does not answer"],
  ] as const)(
    "S6: a second target that ends in %s stops the third, and says how to go on",
    async (fault, ended, says) => {
      await using world = await open();
      const plan = await world.propose();
      world.targets.faults.set("checkout", fault);
      const answer = await world.gate().submit(plan.id);
      expect(answer.outcome).toBe("stopped");
      expect(kinds(answer)).toEqual(ended);
      const progress = await world.expectTruth(plan);
      expect(progressLines(progress)[1]).toContain(says);
      expect(waysOn(progress).join("\n")).toContain(
        "to undo the half: kubectl rollout undo deployment/web -n production",
      );
      expect(world.targets.writes.some(({ thing }) => thing === "cart")).toBe(false);
    },
  );

  it("is told by `unship status` of no plan that the gate still judges", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-three-"));
    try {
      const path = join(folder, "ledger.db");
      await using world = await open(path);
      const plan = await world.propose();
      const incident = { ...incidentOf(plan, "unknown"), recovery: null, outcome: null, closedAt: null };
      await world.store.saveIncident({ ...incident, id: "incident-1", stage: "executing", gate: null });
      using desk = openDesk({ ledger: path });
      const { out } = await desk.run(["status"]);
      expect(out).toContain("submitted to the gate");
      expect(out).not.toMatch(/executing|not begun/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("is what `unship status` shows, from the ledger alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-three-"));
    try {
      const path = join(folder, "ledger.db");
      await using world = await open(path);
      const plan = await world.propose();
      await world.store.saveIncident({
        ...incidentOf(plan, "unknown"),
        id: "incident-1",
        stage: "executing",
        recovery: null,
        outcome: null,
        closedAt: null,
      });
      await world.die({ step: 7, phase: "after" }, (gate) => gate.submit(plan.id));
      using desk = openDesk({ ledger: path });
      const { out } = await desk.run(["status"]);
      expect(out).toContain("1. Deployment production/web: rolled back, it is at v1");
      expect(out).toContain("2. Deployment production/checkout: being rolled back; the outcome is not known yet");
      expect(out).toContain("3. Deployment production/cart: not begun, it is at v2 unless somebody else changed it");
      const { out: json } = await desk.run(["status", "--json"]);
      expect(JSON.parse(json).open[0].targets.map(({ state }: TargetProgress) => state)).toEqual([
        "done",
        "begun",
        "not-begun",
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
