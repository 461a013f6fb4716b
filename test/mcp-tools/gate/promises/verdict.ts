import {
  DAY,
  HOUR,
  type Limits,
  MINUTE,
  NEVER_AUTO,
  PEOPLE,
  PODS,
  SERVICES,
  THINGS,
  type Thing,
  TRAFFIC,
  type Trouble,
} from "./catalog.ts";
import type { Act, Judgement, ModelPlan, PlannedTarget, Situation, Standing } from "./records.ts";

export type * from "./records.ts";

/** After these it is certain that nothing was written. */
export const WROTE_NOTHING = ["nothing-to-do", "refused", "stale", "unreachable"];

export const thingOf = (name: string): Thing => {
  const found = THINGS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no thing ${name}`);
  return found;
};
export const isFlag = (thing: Thing) => thing.action === "feature_flag_disable";
const namesOf = (thing: Thing) => [thing.name, thing.service, ...thing.owners, thing.looksLike ?? thing.name];

/**
 * What the promises S1–S9 and S13 say must happen, written from their text and from what the configuration's
 * reference says of each limit. It knows nothing of how the gate is built.
 * This part says what may happen to a plan; `Model` says what then comes of it.
 */
export class Verdicts {
  readonly limits: Limits;
  clock: number;
  /** The ledger's time: it never runs backwards. */
  ledgerNow: number;
  situation: Situation = { troubles: new Set(), fresh: [] };
  readonly stands = new Map<string, Standing>();
  readonly plans = new Map<string, ModelPlan>();
  readonly acts: Act[] = [];
  readonly paused = new Set<string>();
  readonly healthy = new Map<string, number>();
  readonly wrongTokens: number[] = [];
  /** Things that answer nobody. */
  readonly deaf = new Set<string>();
  /** `plan:position` of each write that happened. */
  readonly written = new Set<string>();
  /** Written, and ended badly. */
  readonly broken = new Set<string>();

  constructor(limits: Limits, now: number) {
    this.limits = limits;
    this.clock = now;
    this.ledgerNow = now;
  }

  /** S6: still as the plan expects, already as it should become, or neither. */
  protected position({ thing, expected, restore }: PlannedTarget): "expected" | "restored" | "elsewhere" {
    const now = this.stands.get(thing) ?? { version: "", revision: "" };
    if (now.version === expected.version && now.revision === expected.revision) return "expected";
    const restored = isFlag(thingOf(thing))
      ? now.revision === restore.revision
      : now.version === restore.version && (restore.version !== expected.version || now.revision === restore.revision);
    return restored ? "restored" : "elsewhere";
  }

  protected seen(target: PlannedTarget): boolean {
    const hidden = this.situation.troubles.has("target-unreadable") && this.#isFirst(target);
    const nobodyReads = thingOf(target.thing).action === "argocd_sync_to_previous";
    return !hidden && !nobodyReads && !this.deaf.has(target.thing);
  }

  /** Troubles of a target are troubles of the first one of the plan that the situation is about. */
  #isFirst(target: PlannedTarget): boolean {
    return this.situation.fresh[0]?.thing === target.thing;
  }

  /** What its own system says that would change with a target; where it was not asked, what it said at the reservation. */
  protected reached(plan: ModelPlan, target: PlannedTarget, left: readonly PlannedTarget[]): readonly string[] {
    if (left.includes(target) && this.seen(target)) return thingOf(target.thing).reaches ?? [];
    return this.acts.find(({ planId, target: one }) => planId === plan.id && one.thing === target.thing)?.reached ?? [];
  }

  /** Whom a plan is about: by every name that its objects go by, and by what changes with them. */
  #names(plan: ModelPlan, left: readonly PlannedTarget[]): readonly string[] {
    return plan.targets.flatMap((target) => [
      ...namesOf(thingOf(target.thing)),
      ...this.reached(plan, target, left).flatMap((one) => [one, SERVICES[one]?.workload ?? one]),
    ]);
  }

  protected reachedBy(plan: ModelPlan, left: readonly PlannedTarget[] = plan.targets): readonly string[] {
    return plan.targets.flatMap((target) => this.reached(plan, target, left));
  }

  protected enoughPeople(plan: ModelPlan, left: readonly PlannedTarget[] = plan.targets): boolean {
    const reached = this.reachedBy(plan, left).filter((one) => one in SERVICES);
    const mayAnswer = (by: string) => {
      const person = PEOPLE.find(({ name }) => name === by);
      const isLight = (one: string) => rank(SERVICES[one]?.importance) <= rank(person?.upTo);
      return reached.every((one) => isLight(one) && (person?.services?.includes(one) ?? true));
    };
    const people = new Set(
      plan.answers
        .filter(({ yes, until, untilByClock }) => yes && this.ledgerNow < until && this.clock < untilByClock)
        .filter(({ clockAt, outlived }) => !outlived && this.clock >= clockAt - MINUTE)
        .filter(({ shown }) => this.reachedBy(plan, left).every((one) => shown.includes(one)))
        .filter(({ by }) => mayAnswer(by))
        .map(({ by }) => by),
    );
    return people.size >= (this.#needsTwo(plan, left) ? 2 : 1);
  }

  #needsTwo(plan: ModelPlan, left: readonly PlannedTarget[]): boolean {
    return this.#names(plan, left).some((one) => this.limits.twoPeople.includes(one));
  }

  /** The verdicts as the promises list them: what nobody may overrule, what a person may, and nothing else. */
  judge(plan: ModelPlan, left: readonly PlannedTarget[] = plan.targets): Judgement {
    const denied = this.#denials(plan, left);
    const asked = this.#questions(plan, left);
    const verdict = denied.length > 0 ? "deny" : asked.length > 0 ? "require_approval" : "allow";
    const warned = this.situation.troubles.has("warning") ? left : [];
    const warns = warned.some((target) => this.#isFirst(target) && this.seen(target));
    return { verdict, because: [...denied, ...asked], warns };
  }

  #denials(plan: ModelPlan, left: readonly PlannedTarget[]): readonly string[] {
    const { troubles } = this.situation;
    const things = plan.targets.map(({ thing }) => thingOf(thing));
    const names = this.#names(plan, left);
    const told = !troubles.has("blind");
    const first = (target: PlannedTarget) => this.#isFirst(target);
    const here = left.filter((target) => this.seen(target));
    const notRestored = left.filter((target) => !this.seen(target) || this.position(target) !== "restored");
    const is = (trouble: Trouble, of: readonly PlannedTarget[] = plan.targets) =>
      troubles.has(trouble) && of.some(first);
    return because({
      "S7: observe executes nothing": [...things.flatMap(({ owners }) => owners), ...names].some(
        (one) => SERVICES[one]?.mode === "observe",
      ),
      "S14: paused": this.paused.has("*") || names.some((one) => this.paused.has(one)),
      "a freeze denies": troubles.has("freeze-denies"),
      "S8: what limits fails closed": troubles.has("rule-breaks"),
      "not among allowed_actions": things.some(({ place }) => place === "staging"),
      "nothing carries it out": left.some(({ thing }) => thingOf(thing).action === "argocd_sync_to_previous"),
      "S4: the plan was changed": plan.edited,
      "S4: a person said no": plan.answers.some(({ yes }) => !yes),
      "S4: expiry means no": this.ledgerNow >= plan.expiresAt,
      "S6: the target is elsewhere": here.some((target) => this.position(target) === "elsewhere"),
      "S6: somebody is changing it": is(
        "being-changed",
        here.filter((target) => this.position(target) === "expected"),
      ),
      "S6: somebody began a change after onset": told && is("someone-deployed", notRestored),
      "no known-good version": left.some(({ restore, expected }) => {
        const same = restore.version === expected.version && restore.revision === expected.revision;
        return same || (restore.version === "" && restore.revision === "");
      }),
      "it cannot be taken back": is("obstacle", here),
      "S2: one open intent a target": this.acts.some(
        (act) =>
          act.planId !== plan.id &&
          act.finishedAt === null &&
          plan.targets.some(({ thing }) => thing === act.target.thing),
      ),
    });
  }

  #questions(plan: ModelPlan, left: readonly PlannedTarget[]): readonly string[] {
    const { troubles } = this.situation;
    const { limits } = this;
    const things = plan.targets.map(({ thing }) => thingOf(thing));
    const names = this.#names(plan, left);
    const told = !troubles.has("blind");
    const here = left.filter((target) => this.seen(target));
    const is = (trouble: Trouble, of: readonly PlannedTarget[] = plan.targets) =>
      troubles.has(trouble) && of.some((target) => this.#isFirst(target));
    const workloads = (of: readonly PlannedTarget[]) => of.filter(({ thing }) => !isFlag(thingOf(thing)));
    const code = (of: readonly PlannedTarget[]) =>
      workloads(of).filter(({ thing }) => thingOf(thing).action !== "database_migration_rollback");
    const flags = left.filter(({ thing }) => isFlag(thingOf(thing)));
    const kinds = Number(!troubles.has("no-condition")) + Number(!troubles.has("one-kind"));
    return because({
      "mode approve": names.some((one) => SERVICES[one]?.mode === "approve"),
      "a freeze asks": troubles.has("freeze-asks"),
      "S3: never without a person": things.some((one) => namesOf(one).some((name) => NEVER_AUTO.includes(name))),
      "S3: it reaches what is protected or unknown": flags.some((target) => !this.#reachIsClear(target)),
      "S3: a migration":
        things.some(({ action }) => action === "database_migration_rollback") || (told && is("culprit-is-migration")),
      "a schema that may not fit": told && code(plan.targets).some((target) => this.#schemaMayNotFit(target)),
      "S9: what it may use is not known, or less":
        is("capacity-unknown", code(here)) || is("less-capacity", code(here)),
      "it touches much": this.#touchesMuch(plan, left),
      "letters that look like others": things.some(({ name, service }) => /[^\x21-\x7e]/.test(name + service)),
      "the file wants approval": things.some(({ place }) => place === "guarded"),
      "two people": this.#needsTwo(plan, left),
      "S2: budgets": this.#overBudget(plan),
      "S2: cooldown": this.#inCooldown(plan, left),
      "S2: one after the other": plan.targets.some((target) => this.#escalated(plan, target, left)),
      "S2: a clock is wrong": this.ledgerNow - this.clock > MINUTE,
      "S9: not known": !told || troubles.has("old-assessment") || here.length < left.length,
      "too few kinds of evidence": told && kinds < limits.kinds,
      "belongs to no incident": plan.outside,
      "S1: not what the own decision names": told && !this.#isOwnDecision(plan, left),
      "S1: no automatic condition holds":
        told && ["no-condition", "review-condition", "not-automatic"].some((one) => troubles.has(one as Trouble)),
      "S12: not sure enough":
        told && (troubles.has("no-culprit") || (limits.confidence !== null && troubles.has("doubt"))),
      "the file or the decision wants a person": told && (troubles.has("wants-person") || troubles.has("expression")),
      "S13: its own rollback":
        (told && is("own-rollback")) || workloads(plan.targets).some((one) => this.#undoesOwn(plan, one)),
    });
  }

  #reachIsClear(target: PlannedTarget): boolean {
    const thing = thingOf(target.thing);
    const reaches = this.seen(target) ? thing.reaches : null;
    const described = Object.values(SERVICES).some(({ flags }) => flags?.includes(thing.name));
    const known = (reaches ?? []).every((one) => one in SERVICES);
    const free = [...thing.owners, ...(reaches ?? [])].every((one) => !NEVER_AUTO.includes(one));
    return free && known && (described || (reaches ?? []).length > 0);
  }

  /** A migration of the culprit's service came between the two versions of a target of that service. */
  #schemaMayNotFit(target: PlannedTarget): boolean {
    const { troubles, fresh } = this.situation;
    const culprit = fresh[0] === undefined ? "" : thingOf(fresh[0].thing).service;
    const { service, owners } = thingOf(target.thing);
    if (![service, ...owners].includes(culprit)) return false;
    if (troubles.has("one-way-migration") || troubles.has("culprit-is-migration")) return true;
    return troubles.has("migration-before") && !this.#isFirst(target);
  }

  #touchesMuch(plan: ModelPlan, left: readonly PlannedTarget[]): boolean {
    const { mostServices, mostTraffic, mostPods } = this.limits;
    const touched = new Set(plan.targets.map(({ thing }) => thingOf(thing).service));
    for (const target of left) {
      const { owners, reaches } = thingOf(target.thing);
      for (const one of owners) touched.add(one);
      for (const one of this.seen(target) ? (reaches ?? []) : []) touched.add(one);
    }
    if (mostServices !== null && touched.size > mostServices) return true;
    if (mostTraffic !== null) {
      const all = Object.values(TRAFFIC).reduce((sum, one) => sum + one, 0);
      const unknown = this.situation.troubles.has("traffic-unknown") || [...touched].some((one) => !(one in TRAFFIC));
      const own = [...touched].reduce((sum, one) => sum + (TRAFFIC[one] ?? 0), 0);
      if (unknown || own / all > mostTraffic) return true;
    }
    if (mostPods === null) return false;
    const replaced = left.filter(({ thing }) => !isFlag(thingOf(thing)));
    const unknown = replaced.some(
      (target) => !this.seen(target) || (this.situation.troubles.has("capacity-unknown") && this.#isFirst(target)),
    );
    return unknown || replaced.length * PODS > mostPods;
  }

  #others(plan: ModelPlan): readonly Act[] {
    return this.acts.filter(({ planId, used }) => planId !== plan.id && used);
  }

  #overBudget(plan: ModelPlan): boolean {
    const { perHour, perDay } = this.limits;
    const hourly = (target: PlannedTarget) => thingOf(target.thing).action === "kubectl_rollout_undo";
    const wanted = plan.targets.filter(hourly).length;
    const hour = this.#others(plan).filter((act) => hourly(act.target) && act.at > this.ledgerNow - HOUR).length;
    if (perHour !== null && wanted > 0 && hour + wanted > perHour) return true;
    const day = this.#others(plan).filter(({ automatic, at }) => automatic && at > this.ledgerNow - DAY).length;
    return perDay !== null && day + plan.targets.length > perDay;
  }

  /** The services that an act on a thing rolls back. */
  #rolledBack(thing: string, reached: readonly string[]): readonly string[] {
    const { service, owners } = thingOf(thing);
    return [service, ...owners, ...reached];
  }

  #inCooldown(plan: ModelPlan, left: readonly PlannedTarget[]): boolean {
    const services = plan.targets.flatMap((one) => this.#rolledBack(one.thing, this.reached(plan, one, left)));
    return this.#others(plan).some(({ target, reached, at, finishedAt }) => {
      const own = this.#rolledBack(target.thing, reached).some((one) => services.includes(one));
      const recent = Math.max(at, finishedAt ?? 0) > this.ledgerNow - this.limits.cooldownMs;
      return recent && (own || this.limits.cooldownForAll || plan.targets.some((o) => o.thing === target.thing));
    });
  }

  /** Rollbacks of a service that nobody approved, with no healthy change between; one that failed is enough. */
  #escalated(plan: ModelPlan, target: PlannedTarget, left: readonly PlannedTarget[]): boolean {
    return this.#rolledBack(target.thing, this.reached(plan, target, left)).some((service) => {
      const row = this.#others(plan).filter((act) => {
        const services = this.#rolledBack(act.target.thing, act.reached);
        const isOne = act.target.thing === target.thing;
        if (!act.automatic || !(services.includes(service) || isOne)) return false;
        // Two names of one workload are one thing: a healthy change under either speaks for it.
        return act.at > this.#healthySince(isOne && !isFlag(thingOf(target.thing)) ? services : [service]);
      });
      const bad = row.some(
        ({ result, recovery }) =>
          result === null ||
          result === "failed" ||
          result === "unknown" ||
          ["not-recovered", "unknown"].includes(recovery ?? ""),
      );
      const after = this.limits.escalateAfter;
      return bad || (after !== null && new Set(row.map(({ planId }) => planId)).size >= after);
    });
  }

  #healthySince(services: readonly string[]): number {
    return Math.max(...services.map((one) => this.healthy.get(one) ?? Number.NEGATIVE_INFINITY));
  }

  #isOwnDecision(plan: ModelPlan, left: readonly PlannedTarget[]): boolean {
    const { troubles, fresh } = this.situation;
    if (troubles.has("decision-is-none") || troubles.has("other-change")) return false;
    const named = troubles.has("other-order") ? fresh.toReversed() : fresh;
    const settled = plan.targets.filter((target) => !left.includes(target)).map((one) => JSON.stringify(one));
    const open = (of: readonly PlannedTarget[]) =>
      of.map((one) => JSON.stringify(one)).filter((one) => !settled.includes(one));
    return open(named).length > 0 && JSON.stringify(open(named)) === JSON.stringify(open(plan.targets));
  }

  /** S13: it would restore what unship took away, or take away what unship restored. */
  #undoesOwn(plan: ModelPlan, { thing, expected, restore }: PlannedTarget): boolean {
    const acts = this.#others(plan)
      .filter((act) => act.target.thing === thing && act.finishedAt !== null)
      .filter(({ result }) => !WROTE_NOTHING.includes(result ?? ""))
      .toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
    const done = acts.findIndex(({ result }) => result === "done");
    const last = done === -1 ? acts : acts.slice(0, done + 1);
    const alike = ({ target }: Act) => target.expected.version === target.restore.version;
    const put = last.some((act) => {
      const next = +expected.revision === +act.target.expected.revision + 1;
      return act.target.restore.version === expected.version && (next || !alike(act));
    });
    const took = acts.some((act) => {
      const { version, revision } = act.target.expected;
      if (version !== restore.version) return false;
      if (revision === restore.revision) return true;
      const { service, owners } = thingOf(thing);
      return !alike(act) && (last.includes(act) || act.at > this.#healthySince([service, ...owners]));
    });
    return put || took;
  }
}

const RANKS = ["low", "medium", "high", "critical"];
const rank = (level: string | undefined): number => RANKS.indexOf(level ?? "critical");

const because = (reasons: Readonly<Record<string, boolean>>): readonly string[] =>
  Object.entries(reasons).flatMap(([reason, holds]) => (holds ? [reason] : []));
