import type { Config } from "../config/config.ts";
import type { Target } from "../model/plan.ts";
import { skeleton } from "../model/skeleton.ts";
import type { TargetState } from "../ports.ts";
import type { Intent } from "./gate-store.ts";
import { listedName, namesOf, namesOfService, servicesOf, type TargetName } from "./names.ts";
import type { RuleInput } from "./rule.ts";
import { APPLICATION, isWorkload, mayBeSameObject, targetKey } from "./targets.ts";

type Services = Config["services"];
/** What a target's own system says would change with it; absent: not known. */
type Reaching = Pick<TargetState, "reaches" | "touches">;

/**
 * Everything that an act on one target touches, as far as the file and the target's own system tell: the one answer to whom
 * a plan concerns. Rules ask here and nowhere else, so that none of them overlooks what another one sees.
 */
export interface Touched {
  readonly target: Target;
  /** The services that it may concern: by the name it claims, by its object, by what it reaches. Too many rather than too few. */
  readonly services: readonly string[];
  /** What it reaches that no service of the file has. */
  readonly unmapped: readonly string[];
  /** The names that the target itself goes by. */
  readonly own: readonly TargetName[];
  /** The names of all that changes with it: services with their workloads and applications, and objects. */
  readonly reached: readonly TargetName[];
  /** Whose rollback the act is, for what counts acts: names of services, where the file tells exactly, and of what is unmapped. */
  readonly rolledBack: readonly string[];
  /** What changes with it, as its own system names that; absent: not known. */
  readonly reaches?: readonly string[];
}

/** Pure. `reaching` null: its own system was not asked, or did not answer. */
export function touchedBy(target: Target, reaching: Reaching | null, services: Services): Touched {
  const { reaches = [], touches = [] } = reaching ?? {};
  const mapped = reaches.map((name) => ({ name, owners: ownersOfName(name, services) }));
  const owners = [...new Set(mapped.flatMap((one) => one.owners))];
  const unmapped = mapped.filter((one) => one.owners.length === 0).map(({ name }) => name);
  const isOfThis = (service: string) =>
    [null, undefined, target.object.name].includes(services[service]?.argocdApplication);
  return {
    target,
    services: [...new Set([target.service, ...servicesOf(target, services), ...owners])],
    unmapped,
    own: namesOf(target, services),
    reached: [
      ...[...reaches, ...touches].map((name) => ({ name, what: "object" }) as const),
      ...owners.flatMap((service) => namesOfService(service, services)),
    ],
    rolledBack: [
      ...new Set([target.service, ...ownersOfObject(target, services), ...owners.filter(isOfThis), ...unmapped]),
    ],
    ...(reaching?.reaches === undefined ? {} : { reaches }),
  };
}

type Known = Pick<RuleInput, "targets" | "policy" | "store">;

/** What a target of a plan touches: as its own system says now; where it was not asked, as it said when the plan was reserved. */
export function touchedByTarget(target: Target, { targets, policy, store }: Known): Touched {
  const isThis = (one: { readonly target: Target }) => targetKey(one.target) === targetKey(target);
  return touchedBy(target, targets.find(isThis)?.state ?? store.reserved.find(isThis) ?? null, policy.services);
}

export const touchedByPlan = (input: Known & Pick<RuleInput, "plan">): readonly Touched[] =>
  input.plan.targets.map((target) => touchedByTarget(target, input));

/** What an act that stands in the ledger touches. */
export const touchedByAct = (act: Pick<Intent, "target" | "reaches">, services: Services): Touched =>
  touchedBy(act.target, act, services);

/** All names that a list of the file, or a pause, may mean by. */
export const namesTouched = ({ own, reached }: Touched): readonly TargetName[] => [...own, ...reached];

/**
 * What an answer to a plan is an answer to, beside its targets: each service that it concerns, what it reaches that nobody has
 * described, and what else that it reaches is protected (`never`: never_auto_rollback). Sorted.
 */
export function concernedBy(touched: readonly Touched[], never: readonly string[]): readonly string[] {
  const names = touched.flatMap(({ services, unmapped, reached }) => [
    ...services,
    ...unmapped,
    ...reached.filter((one) => listedName([one], never) !== undefined).map(({ name }) => name),
  ]);
  return [...new Set(names)].sort();
}

/** The services that two acts both roll back, as `one` spells them; empty: neither has to do with the other. */
export function rolledBackByBoth(one: Touched, other: Touched): readonly string[] {
  const theirs = new Set(other.rolledBack.map(skeleton));
  const shared = one.rolledBack.filter((name) => theirs.has(skeleton(name)));
  const reaches = (a: Touched, b: Touched) =>
    isWorkload(b.target) && a.unmapped.some((name) => skeleton(name) === skeleton(b.target.object.name));
  const isOne = mayBeSameObject(one.target, other.target) || reaches(one, other) || reaches(other, one);
  return isOne ? [...new Set([one.target.service, ...shared])] : shared;
}

/**
 * When a later change of a service last proved healthy, Unix ms; −∞: none did. A workload that two services of the file have
 * is one thing: where both acts are on it, a change of either speaks for it.
 */
export function provedHealthyAt(
  service: string,
  one: Touched,
  other: Touched,
  healthy: ReadonlyMap<string, number>,
): number {
  const isOne = isWorkload(one.target) && mayBeSameObject(one.target, other.target);
  const names = new Set([service, ...(isOne ? [...one.rolledBack, ...other.rolledBack] : [])].map(skeleton));
  const moments = [...healthy].flatMap(([name, at]) => (names.has(skeleton(name)) ? [at] : []));
  return Math.max(Number.NEGATIVE_INFINITY, ...moments);
}

/** Whether an act on the one writes to what an act on the other writes to: the same object, or one that the other deploys. */
export function writesToSame(one: Touched, other: Touched): boolean {
  return mayBeSameObject(one.target, other.target) || deploys(one, other) || deploys(other, one);
}

/** Whether the one is an Argo CD application, and the other a workload that it deploys. */
function deploys(app: Touched, workload: Touched): boolean {
  if (app.target.object.kind !== APPLICATION || !isWorkload(workload.target)) return false;
  return rolledBackByBoth(app, workload).length > 0;
}

/**
 * Each target once more for every other service that changes with it: whoever answers for an application or a flag answers for
 * all of these. What nobody has described is the rule reach's.
 */
export const reachedTargets = (touched: readonly Touched[]): readonly Target[] =>
  touched.flatMap(({ target, services }) =>
    services.filter((service) => service !== target.service).map((service) => ({ ...target, service })),
  );

/** The services of the file that a name may mean: by their own name, or by workload, application or flag. */
function ownersOfName(name: string, services: Services): readonly string[] {
  const looks = skeleton(name);
  return Object.entries(services)
    .filter(([service, { workload, argocdApplication, flags }]) =>
      [service, workload?.name, argocdApplication, ...flags].some((one) => one != null && skeleton(one) === looks),
    )
    .map(([service]) => service);
}

/** The services of the file whose object a target is, by kind and namespace too where the file tells them. */
function ownersOfObject({ action, object }: Target, services: Services): readonly string[] {
  const is = (name: string) => skeleton(name) === skeleton(object.name);
  const agree = (said: string | null | undefined, found: string) => said == null || found === "" || said === found;
  return Object.entries(services)
    .filter(([service, { workload, namespace, argocdApplication, flags }]) => {
      if (action === "feature_flag_disable") return flags.some(is);
      if (action === "database_migration_rollback") return false;
      if (object.kind === APPLICATION) return argocdApplication !== null && is(argocdApplication);
      const isKind = workload == null || workload.kind.toLowerCase() === object.kind.toLowerCase();
      return isKind && is(workload?.name ?? service) && agree(namespace, object.namespace);
    })
    .map(([service]) => service);
}
