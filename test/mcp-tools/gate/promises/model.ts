import { type Fault, MINUTE, PEOPLE, type Person, SERVICES, type Thing } from "./catalog.ts";
import {
  type Act,
  isFlag,
  type ModelPlan,
  type PlannedTarget,
  type Standing,
  thingOf,
  Verdicts,
  WROTE_NOTHING,
} from "./verdict.ts";

const PLAN_LIVES = 15 * MINUTE;
const APPROVAL_LIVES = 10 * MINUTE;
const PERMIT_LIVES = 2 * MINUTE;
const MOST_TRIES = 2;
const WRONG_TOKENS_A_MINUTE = 10;
const IMPORTANCE = ["low", "medium", "high", "critical"];

/** What stands in the ledger and in production after a gate died in the middle of a plan. */
export interface Remains {
  readonly reserved: boolean;
  readonly automatic: boolean;
  readonly attempts: readonly number[];
  readonly finished: Readonly<Record<number, string>>;
  readonly answered: boolean;
  readonly written: readonly string[];
  /** Of these, what ended badly. */
  readonly broken: readonly string[];
}

/** How a thing stands after somebody else changed it. A flag's version counts its changes. */
export function movedAway(thing: string, now: Standing = { version: "0", revision: "0" }): Standing {
  return isFlag(thingOf(thing))
    ? { version: String(+now.version + 100), revision: now.revision }
    : { version: "hot", revision: String(+now.revision + 1) };
}

/** What comes of each step, and how everything stands after it. See `Verdicts`. */
export class Model extends Verdicts {
  tick(ms: number): void {
    this.clock += ms;
    this.ledgerNow = Math.max(this.ledgerNow, this.clock);
  }

  propose(plan: Pick<ModelPlan, "id" | "targets" | "proposedBy" | "outside" | "edited">): ModelPlan {
    const expiresAt = this.ledgerNow + PLAN_LIVES;
    const made: ModelPlan = {
      ...plan,
      expiresAt,
      answers: [],
      shown: [],
      permitUntil: null,
      outcome: null,
      results: [],
    };
    this.reviewed(made);
    this.plans.set(plan.id, made);
    return made;
  }

  /** S3, S4: whether this person's answer counts. */
  answer(plan: ModelPlan, who: string | null, yes: boolean): boolean {
    const recent = this.wrongTokens.filter((at) => at > this.ledgerNow - MINUTE).length;
    if (recent >= WRONG_TOKENS_A_MINUTE) return false;
    const person = PEOPLE.find(({ name }) => name === who);
    if (person === undefined) {
      this.wrongTokens.push(this.ledgerNow);
      return false;
    }
    if (plan.edited || this.ledgerNow >= plan.expiresAt || plan.permitUntil !== null) return false;
    if (!plan.targets.every(({ thing }) => this.#mayAnswer(person, thingOf(thing)))) return false;
    if (yes && plan.proposedBy.toLowerCase().split(":").includes(person.name)) return false;
    if (yes && plan.answers.some((one) => !one.yes)) return false;
    const until = yes ? Math.min(plan.expiresAt, this.ledgerNow + APPROVAL_LIVES) : plan.expiresAt;
    const untilByClock = this.clock + (until - this.ledgerNow);
    const { shown } = plan;
    plan.answers.push({ by: person.name, yes, until, untilByClock, clockAt: this.clock, shown, outlived: false });
    return true;
  }

  /** What submitting a plan leads to, with nothing dying on the way. `faults`: one a target. */
  submit(plan: ModelPlan, faults: readonly Fault[]): { readonly outcome: string; readonly results: readonly string[] } {
    if (plan.permitUntil !== null) {
      return { outcome: plan.outcome ?? "in-progress", results: plan.outcome === null ? [] : plan.results };
    }
    const { verdict } = this.judge(plan);
    const approved = this.enoughPeople(plan);
    this.reviewed(plan);
    if (verdict === "deny") return { outcome: "denied", results: [] };
    const restored = plan.targets.every((target) => this.position(target) === "restored" && this.seen(target));
    if (restored) return { outcome: "nothing-to-do", results: plan.targets.map(() => "nothing-to-do") };
    if (verdict === "require_approval" && !approved) return { outcome: "held", results: [] };
    this.reserve(plan, !approved);
    return this.#run(plan, faults);
  }

  /** S4: a review is written down with what the plan changes, for the answers that follow it. */
  reviewed(plan: ModelPlan): void {
    plan.shown = [...plan.targets.flatMap(({ thing }) => thingOf(thing).owners), ...this.reachedBy(plan)];
    for (const one of plan.answers) if (this.clock < one.clockAt - MINUTE) one.outlived = true;
  }

  /** All units of a plan at once, before its first target acts (S2). */
  reserve(plan: ModelPlan, automatic: boolean): void {
    plan.permitUntil = this.ledgerNow + PERMIT_LIVES;
    plan.targets.forEach((target, position) => {
      const reached = this.seen(target) ? (thingOf(target.thing).reaches ?? []) : [];
      const unit = { planId: plan.id, position, target, automatic, reached, at: this.ledgerNow };
      this.acts.push({ ...unit, attempts: 0, result: null, finishedAt: null, used: true, recovery: null });
    });
  }

  /** S5: what must come of a plan that was left open, once somebody looks after it. */
  recover(plan: ModelPlan): { readonly outcome: string; readonly results: readonly string[] } {
    const open = () => this.actsOf(plan).filter(({ finishedAt }) => finishedAt === null);
    for (const act of open().filter(({ attempts }) => attempts > 0)) {
      const written = this.written.has(`${plan.id}:${act.position}`);
      const broken = this.broken.has(`${plan.id}:${act.position}`);
      if (this.deaf.has(act.target.thing) || ((!written || broken) && !this.seen(act.target)))
        return this.#unknown(plan, act);
      // S6: what ran and ended badly is neither done nor nothing to do.
      if (broken) {
        this.#finish(act, "failed");
        return this.#close(plan);
      }
      const at = this.position(act.target);
      if (written) this.#finish(act, "done");
      else if (at === "restored") this.#finish(act, "nothing-to-do");
      else if (at === "elsewhere") {
        this.#finish(act, "stale");
        return this.#close(plan);
      }
    }
    const left = open();
    if (left.length === 0) return this.#close(plan);
    const late = this.ledgerNow >= (plan.permitUntil ?? 0) || left.some(({ attempts }) => attempts >= MOST_TRIES);
    const targets = left.map(({ target }) => target);
    const { verdict } = this.judge(plan, targets);
    const permitted = verdict === "allow" || (verdict === "require_approval" && this.enoughPeople(plan, targets));
    return late || !permitted ? this.#close(plan) : this.#run(plan, []);
  }

  actsOf(plan: Pick<ModelPlan, "id">): readonly Act[] {
    return this.acts.filter(({ planId }) => planId === plan.id);
  }

  openPlans(): readonly ModelPlan[] {
    const ids = new Set(this.acts.filter(({ finishedAt }) => finishedAt === null).map(({ planId }) => planId));
    return [...ids].flatMap((id) => this.plans.get(id) ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Executes what is open, in order; the first target that does not end well is the last one. */
  #run(plan: ModelPlan, faults: readonly Fault[]) {
    for (const act of this.actsOf(plan)) {
      if (act.finishedAt !== null) continue;
      const fault = faults[act.position] ?? null;
      const { thing } = act.target;
      act.attempts += 1;
      if (fault === "lost-before" || fault === "lost-before-once") {
        if (!this.seen(act.target)) return this.#unknown(plan, act);
        const found = this.position(act.target);
        if (found === "expected") act.attempts += 1;
        else this.#finish(act, found === "restored" ? "nothing-to-do" : "stale");
        if (act.result === "stale") break;
        if (act.finishedAt !== null) continue;
      }
      if (fault === "moves-first") this.moveAway(thing);
      const at = this.position(act.target);
      const refused = { fail: "failed", refuse: "refused", unreachable: "unreachable", "lost-before": "failed" };
      if (fault !== null && fault in refused) this.#finish(act, refused[fault as keyof typeof refused]);
      else {
        if (at === "expected") {
          this.stands.set(thing, this.#afterRestoring(act.target));
          this.written.add(`${plan.id}:${act.position}`);
          if (fault === "breaks") this.broken.add(`${plan.id}:${act.position}`);
        }
        if (fault === "breaks" && !this.seen(act.target)) return this.#unknown(plan, act);
        if (fault === "deaf") {
          this.deaf.add(thing);
          return this.#unknown(plan, act);
        }
        const acted = fault === "breaks" ? "failed" : "done";
        this.#finish(act, at === "expected" ? acted : at === "restored" ? "nothing-to-do" : "stale");
      }
      if (act.result !== "done" && act.result !== "nothing-to-do") break;
    }
    return this.#close(plan);
  }

  /** Nobody can say what came of it: it stays open, and what was not begun is closed. */
  #unknown(plan: ModelPlan, act: Act) {
    act.result = "unknown";
    return this.#close(plan, act);
  }

  #close(plan: ModelPlan, keep?: Act) {
    for (const act of this.actsOf(plan)) {
      if (act.finishedAt !== null || act === keep) continue;
      const tried = act.attempts > 0;
      this.#finish(act, "refused");
      act.used = tried;
    }
    const acts = this.actsOf(plan);
    plan.results = acts.map(({ result }) => result ?? "unknown");
    const well = plan.results.every((result) => result === "done" || result === "nothing-to-do");
    plan.outcome = !well ? "stopped" : plan.results.includes("done") ? "executed" : "nothing-to-do";
    return { outcome: plan.outcome, results: plan.results };
  }

  #finish(act: Act, result: string): void {
    act.result = result;
    act.finishedAt = this.ledgerNow;
    act.used = !WROTE_NOTHING.includes(result);
  }

  /** Somebody else puts another version there. */
  moveAway(thing: string): void {
    this.stands.set(thing, movedAway(thing, this.stands.get(thing)));
  }

  /** After a gate died: what the ledger says that it had begun, and what it had written. */
  died(plan: ModelPlan, left: Remains): void {
    if (!left.reserved) return;
    if (plan.permitUntil === null) this.reserve(plan, left.automatic);
    for (const act of this.actsOf(plan)) {
      act.attempts = left.attempts[act.position] ?? 0;
      const key = `${plan.id}:${act.position}`;
      if (left.written.includes(key) && !this.written.has(key)) {
        this.written.add(key);
        this.stands.set(act.target.thing, this.#afterRestoring(act.target));
      }
      if (left.broken.includes(key)) this.broken.add(key);
      const result = left.finished[act.position];
      if (result !== undefined && act.finishedAt === null) this.#finish(act, result);
    }
    if (!left.answered) return;
    const open = this.actsOf(plan).find(({ finishedAt }) => finishedAt === null);
    if (open === undefined) this.#close(plan);
    else this.#unknown(plan, open);
  }

  #afterRestoring({ thing, expected, restore }: PlannedTarget): Standing {
    if (isFlag(thingOf(thing))) return { version: String(+expected.version + 1), revision: "off" };
    return { version: restore.version, revision: String(+expected.revision + 1) };
  }

  #mayAnswer(person: Person, thing: Thing): boolean {
    const services = [thing.service, ...thing.owners];
    if (person.services !== null && !services.every((one) => person.services?.includes(one))) return false;
    if (person.actions !== null && !person.actions.includes(thing.action)) return false;
    const levels = thing.owners.map((one) => IMPORTANCE.indexOf(SERVICES[one]?.importance ?? "critical"));
    const level = Math.max(0, ...levels, thing.service in SERVICES ? 0 : IMPORTANCE.indexOf("critical"));
    return level <= IMPORTANCE.indexOf(person.upTo);
  }
}
