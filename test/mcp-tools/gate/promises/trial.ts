import { expect } from "vitest";
import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { GateAnswer } from "../../../../core/model/plan.ts";
import type { Gate, Ledger } from "../../../../core/ports.ts";
import { createGate } from "../../../../mcp-tools/gate/gate.ts";
import { NOW } from "../../../core/guardrails/rule-inputs.ts";
import { type Fault, type Limits, PEOPLE, THINGS, TRAFFIC, type Trouble } from "./catalog.ts";
import { configOf, incidentOf, tokenOf } from "./company.ts";
import { withEdited } from "./edited-plans.ts";
import { Model, movedAway, type Remains } from "./model.ts";
import { type Crash, Life } from "./mortal.ts";
import { checkRace } from "./race.ts";
import { assessmentIn, targetOf } from "./situation.ts";
import type { Between, IncidentStep } from "./steps.ts";
import { Targets } from "./targets.ts";
import { type ModelPlan, type PlannedTarget, thingOf } from "./verdict.ts";

/** The real gate over a real ledger, and the model beside it; each step is done in both, and they must agree. */
export class Trial implements AsyncDisposable {
  readonly model: Model;
  readonly targets = new Targets();
  readonly #store: Ledger & GateStore;
  readonly #limits: Limits;
  readonly #gone = new Set<string>();
  readonly #edited = new Set<string>();
  #gate: Gate;
  #owner = "";
  #ids = 0;
  #versions = 1;
  crashes = 0;
  submits = 0;

  /** `store`: empty, on the clock of the model. */
  constructor(store: Ledger & GateStore, limits: Limits) {
    this.#limits = limits;
    this.model = new Model(limits, NOW);
    this.#store = store;
    this.#gate = this.#newGate(new Life(), true);
    for (const { name } of THINGS) this.#deploy(name);
    this.targets.beforeAct = async (_, key) => {
      // S1: nothing executes without its ledger entry, committed before.
      const [planId] = key.split(":");
      const kinds = (await this.#store.entries()).filter((one) => one.planId === planId).map(({ kind }) => kind);
      expect(kinds).toEqual(expect.arrayContaining(["plan.reserved", "permit.redeemed", "target.attempted"]));
    };
  }

  async end(): Promise<void> {
    await this.heal();
    await this.sleep(1);
    await this.recover(true);
    expect(await this.#store.transact((tx) => tx.intents({ open: true })), "open intents at the end").toEqual([]);
    expect(await this.#store.verify()).toMatchObject({ ok: true, problems: [] });
    const ledger = JSON.stringify(await this.#store.entries());
    // S10: no secret in the ledger.
    for (const { name } of PEOPLE) expect(ledger).not.toContain(tokenOf(name));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.close();
  }

  // --- steps ---------------------------------------------------------------------------------------------------

  /** Time passes, and the ledger notes it: its own time is that of its newest entry, or later. */
  async sleep(ms: number): Promise<void> {
    this.model.tick(ms);
    await this.#store.append({ kind: "test.time", incidentId: null, planId: null, actor: "test", body: null });
  }

  async pause(scope: string): Promise<void> {
    await this.#gate.pause(scope, "cli:zoe");
    this.model.paused.add(scope);
  }

  async resume(scope: string, who: string): Promise<void> {
    const person = PEOPLE.find(({ name }) => name === who);
    const may = person !== undefined && (person.services === null || person.services.includes(scope));
    const limited = this.model.wrongTokens.filter((at) => at > this.model.ledgerNow - 60_000).length >= 10;
    if (person === undefined && !limited) this.model.wrongTokens.push(this.model.ledgerNow);
    const done = may && !limited && this.model.paused.delete(scope);
    await this.#expectDone(this.#gate.resume(scope, tokenOf(who)), done, `resume ${scope} by ${who}`);
  }

  /** Everything answers again. */
  async heal(): Promise<void> {
    this.targets.deaf.clear();
    this.model.deaf.clear();
    this.#situate(new Set(), []);
  }

  async healthy(service: string): Promise<void> {
    const body = { service, changeId: "later" };
    await this.#store.append({ kind: "change.healthy", incidentId: null, planId: null, actor: "watch", body });
    this.model.healthy.set(service, this.model.ledgerNow);
  }

  /** How the verification of the last plan that acted ended. */
  async verified(verdict: "recovered" | "not-recovered" | "unknown"): Promise<void> {
    const last = this.model.acts.findLast(({ finishedAt }) => finishedAt !== null);
    if (last === undefined) return;
    const plan = await this.#store.plan(last.planId);
    if (plan === null) throw new Error("no plan");
    await this.#store.saveIncident(incidentOf(plan, verdict));
    for (const act of this.model.acts) if (act.planId === last.planId) act.recovery = verdict;
  }

  /** A change breaks something, a plan is made of it, people answer or do not, and it is submitted. */
  async incident(step: IncidentStep): Promise<void> {
    const troubles = new Set(step.troubles);
    this.targets.faults.clear();
    const targets = step.things.map((thing) => this.#plan(thing, troubles, step.things[0] === thing));
    this.#situate(troubles, targets);
    const plan = await this.#propose(targets, step.by, troubles);
    for (const one of step.between) await this.#between(one, plan);
    const first = step.things[0] ?? "";
    if (troubles.has("moved")) this.#put(first, movedAway(first, this.targets.stands.get(first)));
    if (troubles.has("already")) this.#put(first, restoredOf(targets[0]));
    for (const [at, thing] of step.things.entries()) {
      const fault = step.faults[at] ?? null;
      if (step.crash === null || fault !== "moves-first") this.targets.faults.set(thing, fault);
    }
    if (step.crash === null) await this.#submit(plan, step.faults);
    else await this.#submitAndDie(plan, step.crash);
    this.targets.faults.clear();
    if (step.again && !this.#isOpen(plan)) await this.#submit(plan, []);
  }

  /** An older plan, once more: with a yes before it, or without. */
  async again(index: number, who: string | null): Promise<void> {
    const plans = [...this.model.plans.values()];
    const plan = plans[plans.length - 1 - index];
    if (plan === undefined) return;
    if (who !== null) await this.#between({ kind: "approve", who }, plan);
    await this.#submit(plan, []);
  }

  /** Several processes at once, each with a plan of its own and all with the same chance. */
  async race(step: {
    readonly plans: readonly (readonly string[])[];
    readonly pauses: readonly number[];
  }): Promise<void> {
    this.targets.faults.clear();
    const every = [...new Set(step.plans.flat())];
    const planned = new Map(every.map((thing) => [thing, this.#plan(thing, new Set(), false)]));
    this.#races = step.plans.map((things) => things.flatMap((thing) => planned.get(thing) ?? []));
    this.#situate(new Set(), []);
    const plans = [];
    for (const targets of this.#races) plans.push(await this.#propose(targets, "watch", new Set(), false));
    const before = new Set(this.model.written);
    let turn = 0;
    const pause = async () => {
      for (let n = step.pauses[turn++ % step.pauses.length] ?? 0; n > 0; n -= 1) await null;
    };
    const answers = await Promise.all(
      [...plans, ...plans].map(async (plan) => {
        const owner = `racer-${++this.#ids}`;
        this.submits += 1;
        const answer = await this.#newGate(new Life(null, pause), false, owner).submit(plan.id);
        this.#gone.add(owner);
        return answer;
      }),
    );
    for (const plan of plans) this.model.died(plan, await this.#remainsOf(plan));
    this.#races = [];
    checkRace(this.model, plans, answers, before);
    this.#compare();
  }
  #races: readonly (readonly PlannedTarget[])[] = [];

  /** Somebody looks after what was left: a new process at once, or the same one after its longest pause. */
  async recover(restart: boolean): Promise<void> {
    if (restart) this.#bury();
    else await this.sleep(6 * 60_000);
    const expected = this.model.openPlans().map((plan) => ({ id: plan.id, ...this.model.recover(plan) }));
    const answers = await this.#gate.recover();
    const got = answers.map(({ planId: id, outcome, results }) => ({ id, outcome, results: kindsOf(results) }));
    expect(
      got.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      "recovery",
    ).toEqual(expected);
    this.#compare();
  }

  // --- parts of steps ------------------------------------------------------------------------------------------

  async #between(one: Between, plan: ModelPlan): Promise<void> {
    if (one.kind === "sleep") return this.sleep(one.ms);
    const done = this.model.answer(plan, one.who, one.kind === "approve");
    const token = tokenOf(one.who);
    const asked =
      one.kind === "approve" ? this.#gate.approve(plan.id, token) : this.#gate.reject(plan.id, token, "not now");
    await this.#expectDone(asked, done, `${one.kind} by ${one.who}`);
  }

  async #propose(
    targets: readonly PlannedTarget[],
    by: string,
    troubles: ReadonlySet<Trouble>,
    compare = true,
  ): Promise<ModelPlan> {
    const outside = troubles.has("outside");
    const { plan, review } = await this.#gate.propose({
      incidentId: outside ? "none" : `incident-${this.#ids}`,
      targets: targets.map(targetOf),
      reason: "errors rose right after the change",
      proposedBy: by,
    });
    const made = this.model.propose({ id: plan.id, targets, proposedBy: by, outside, edited: troubles.has("edited") });
    if (compare) {
      const expected = this.model.judge({ ...made, edited: false });
      expect(review.verdict, `${say(expected.because)} against ${say(review.rules)}`).toBe(expected.verdict);
      // S13: what would bring the bad version back is said out loud.
      expect(say(review.rules).includes("the next sync would bring it back"), "warned").toBe(expected.warns);
    }
    if (troubles.has("edited")) this.#edited.add(plan.id);
    return made;
  }

  async #submit(plan: ModelPlan, faults: readonly Fault[]): Promise<void> {
    this.submits += 1;
    const judged = this.model.judge(plan);
    const expected = this.model.submit(plan, faults);
    const answer = await this.#gate.submit(plan.id);
    const got = { outcome: answer.outcome, results: kindsOf(answer.results) };
    expect(got, `${judged.verdict} ${say(judged.because)} against ${say(answer.review.rules)}`).toEqual(expected);
    this.#compare();
  }

  async #submitAndDie(plan: ModelPlan, crash: Crash): Promise<void> {
    this.submits += 1;
    const life = new Life(crash);
    const owner = `victim-${++this.#ids}`;
    const judged = this.model.judge(plan);
    const wouldRun = structuredClone(judged.verdict);
    await this.#newGate(life, false, owner)
      .submit(plan.id)
      .catch((error: unknown) => {
        if (!life.died) throw error;
      });
    this.#gone.add(owner);
    if (life.died) this.crashes += 1;
    const remains = await this.#remainsOf(plan);
    if (remains.reserved && plan.permitUntil === null) {
      const approved = plan.answers.some(({ yes }) => yes);
      expect(wouldRun === "allow" || (wouldRun === "require_approval" && approved), say(judged.because)).toBe(true);
    }
    for (const thing of this.targets.deaf) this.model.deaf.add(thing);
    this.model.died(plan, remains);
    this.#compare();
  }

  async #remainsOf({ id }: ModelPlan): Promise<Remains> {
    const entries = (await this.#store.entries()).filter(({ planId }) => planId === id);
    const of = (kind: string) => entries.filter((one) => one.kind === kind).map(({ body }) => body as Body);
    const reserved = of("plan.reserved")[0];
    const attempts: number[] = [];
    for (const { position } of of("target.attempted")) attempts[position] = (attempts[position] ?? 0) + 1;
    const finished = of("target.finished").filter(({ result }) => result.result !== "unknown");
    return {
      reserved: reserved !== undefined,
      automatic: reserved?.automatic ?? false,
      attempts,
      finished: Object.fromEntries(finished.map(({ position, result }) => [position, result.result])),
      answered: of("plan.answered").length > 0,
      written: this.targets.writes.map(({ key }) => key).filter((key) => key.startsWith(`${id}:`)),
      broken: [...this.targets.broken].filter((key) => key.startsWith(`${id}:`)),
    };
  }

  #compare(): void {
    expect(Object.fromEntries(this.targets.stands)).toEqual(Object.fromEntries(this.model.stands));
    // S1, S5: every write was meant, and none happened twice.
    expect(this.targets.writes.map(({ key }) => key).toSorted()).toEqual([...this.model.written].toSorted());
  }

  #isOpen(plan: ModelPlan): boolean {
    return plan.permitUntil !== null && plan.outcome === null;
  }

  async #expectDone(asked: Promise<unknown>, done: boolean, what: string): Promise<void> {
    const code = await asked.then(
      () => null,
      (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "thrown"),
    );
    expect(code === null, `${what} ended with ${code}`).toBe(done);
    if (code !== null) expect(code).toMatch(/^(approval|plan|input)\./);
  }

  // --- the world -----------------------------------------------------------------------------------------------

  #situate(troubles: ReadonlySet<Trouble>, fresh: readonly PlannedTarget[]): void {
    this.model.situation = { troubles, fresh };
    this.targets.situation = this.model.situation;
  }

  #put(thing: string, standing: PlannedTarget["expected"]): void {
    this.targets.stands.set(thing, standing);
    this.model.stands.set(thing, standing);
  }

  /** A new version comes; a flag is switched on. */
  #deploy(thing: string): void {
    const now = this.targets.stands.get(thing) ?? { version: "0", revision: "0" };
    const isFlag = thingOf(thing).action === "feature_flag_disable";
    this.#versions += 1;
    this.#put(
      thing,
      isFlag
        ? { version: String(+now.version + 1), revision: "on" }
        : { version: `v${this.#versions}`, revision: String(+now.revision + 1) },
    );
  }

  #plan(thing: string, troubles: ReadonlySet<Trouble>, first: boolean): PlannedTarget {
    const isFlag = thingOf(thing).action === "feature_flag_disable";
    const good = this.targets.stands.get(thing) ?? { version: "v0", revision: "0" };
    const redo = first && troubles.has("redo") && !isFlag;
    const last = this.model.acts.findLast((act) => act.target.thing === thing);
    if (!redo) this.#deploy(thing);
    const expected = this.targets.stands.get(thing) ?? good;
    const back = isFlag
      ? { version: expected.version, revision: "off" }
      : redo
        ? { version: last?.target.expected.version ?? "v0", revision: "1" }
        : good;
    const restore = !first
      ? back
      : troubles.has("no-known-good")
        ? { version: "", revision: "" }
        : troubles.has("same-version")
          ? expected
          : back;
    return { thing, changeId: `change-${thing}-${this.#versions}`, expected, restore };
  }

  /** The primary process dies, and another one takes its place. */
  #bury(): void {
    this.#gone.add(this.#owner);
    this.#gate = this.#newGate(new Life(), true);
  }

  #newGate(life: Life, primary: boolean, owner = `gate-${++this.#ids}`): Gate {
    if (primary) this.#owner = owner;
    const store = life.store(withEdited(this.#store, this.#edited));
    return createGate({
      config: configOf(this.#limits, () => this.model.situation.troubles),
      store,
      executors: this.targets.executors().map((executor) => life.executor(executor)),
      assess: async (services, at) => assessmentIn(this.#situationFor(services), at),
      traffic: async () => {
        if (this.model.situation.troubles.has("traffic-unknown")) throw new Error("no source answers");
        return new Map(Object.entries(TRAFFIC));
      },
      clock: { now: () => this.model.clock },
      notifier: { notify: async () => ({ delivered: true, detail: "" }) },
      newId: () => `id-${++this.#ids}`,
      owner: { id: owner, gone: (other) => this.#gone.has(other) },
      limits: { reconcileDelaysMs: [0] },
    });
  }

  #situationFor(services: readonly string[]) {
    const named = this.#races.find((targets) => {
      const own = new Set(targets.map(({ thing }) => thingOf(thing).service));
      return own.size === services.length && services.every((one) => own.has(one));
    });
    return named === undefined ? this.model.situation : { troubles: new Set<Trouble>(), fresh: named };
  }
}

interface Body {
  readonly position: number;
  readonly automatic: boolean;
  readonly result: { readonly result: string };
}

const kindsOf = (results: GateAnswer["results"]) => results.map(({ result }) => result as string);
const say = (reasons: unknown) => JSON.stringify(reasons);

const restoredOf = (target: PlannedTarget | undefined) => {
  if (target === undefined) return { version: "", revision: "" };
  const { thing, expected, restore } = target;
  return thingOf(thing).action === "feature_flag_disable"
    ? { version: String(+expected.version + 1), revision: "off" }
    : { version: restore.version, revision: String(+expected.revision + 1) };
};
