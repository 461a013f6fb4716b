import { type Fenced, own } from "../model/fenced.ts";
import { type Plan, type Target, takesBack } from "../model/plan.ts";
import { name } from "../model/untrusted-text.ts";
import type { TargetState } from "../ports.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * Identity of what a target would change, equal for equal objects whatever the plan calls them: two plans with one
 * key must never act at the same time. The kind is compared without case, since APIs differ in how they spell it.
 */
export function targetKey(target: Pick<Target, "object" | "environment">): string {
  const { kind, namespace, name } = target.object;
  return canonicalJson([kind.toLowerCase(), namespace, name, target.environment ?? ""]);
}

/**
 * Whether two targets may be one object, however completely each names it: one may lack the namespace or the environment that
 * its source did not tell. Who writes to the one must know what became of the other.
 */
export function mayBeSameObject(
  one: Pick<Target, "object" | "environment">,
  other: Pick<Target, "object" | "environment">,
): boolean {
  const [a, b] = [one.object, other.object];
  const agree = (x: string, y: string) => x === y || x === "" || y === "";
  return (
    a.kind.toLowerCase() === b.kind.toLowerCase() &&
    a.name === b.name &&
    agree(a.namespace, b.namespace) &&
    agree(one.environment ?? "", other.environment ?? "")
  );
}

export const APPLICATION = "Application";

/** Whether what is changed runs pods of its own: no flag, no schema, and no Argo CD application, which deploys such. */
export const isWorkload = ({ action, object }: Pick<Target, "action" | "object">): boolean =>
  object.kind !== APPLICATION && !NO_WORKLOAD.includes(action);

const NO_WORKLOAD: readonly Target["action"][] = ["feature_flag_disable", "database_migration_rollback"];

/** What the hash of a plan is taken over: all that would be done, and for which incident; no time, no author. */
export function planContent(plan: Pick<Plan, "incidentId" | "targets">): string {
  return canonicalJson({ incidentId: plan.incidentId, targets: plan.targets });
}

/**
 * Those of the targets that would undo something of what `refused` would have undone, so that a person's no to the one is a
 * no to the other: the same change, however its object and versions are spelled by now, or the same revision of the same
 * object. A newer change of the object is another one, and nobody has said no to that.
 */
export const sharedUndoing = (targets: readonly Target[], refused: readonly Target[]): readonly Target[] =>
  targets.filter((one) => refused.some((other) => isAlike(one, other) && undoesSame(one, other)));

/** A promotion or a pause that somebody refused says nothing of taking the same change back. */
const isAlike = (one: Target, other: Target): boolean =>
  one.action === other.action || (takesBack({ targets: [one] }) && takesBack({ targets: [other] }));

function undoesSame(one: Target, other: Target): boolean {
  if (one.changeId === other.changeId) return true;
  // One application is undone under the name of any of the changes that it brought. Flags and schemas have no revisions.
  const [a, b] = [one.expected, other.expected];
  const isRevision = a.revision !== "" && one.action !== "feature_flag_disable";
  return isRevision && a.version === b.version && a.revision === b.revision && targetKey(one) === targetKey(other);
}

/** How people read a target: "Deployment production/checkout"; what lies in no namespace, as a flag: "Flag new-cart". */
export function targetText({ object }: Pick<Target, "object">): Fenced {
  if (object.namespace === "") return own`${known(object.kind)} ${known(object.name)}`;
  return own`${known(object.kind)} ${known(object.namespace)}/${known(object.name)}`;
}

/** A name that its source may not have told: nothing, where it did not. */
const known = (text: string): Fenced | "" => (text === "" ? "" : name(text));

/** A version as people read it, with its revision where there is one: a schema has none. */
export const versionText = ({ version, revision }: Target["expected"]): Fenced =>
  revision === "" ? name(version) : own`${name(version)} (revision ${name(revision)})`;

export type Position = "expected" | "restored" | "elsewhere";

/**
 * Where a target stands: at the version that the plan expects, already at the one to restore, or elsewhere (stale).
 *
 * A workload that was taken back gets a new revision number, so its version alone tells that it is restored, unless
 * both versions are spelled alike (only the configuration changed): then the revision must match. A flag's version
 * changes with every write, so only its revision ("on" / "off") can tell.
 */
export function positionOf(target: Target, state: Pick<TargetState, "version" | "revision">): Position {
  const { expected, restore } = target;
  if (state.version === expected.version && state.revision === expected.revision) return "expected";
  if (target.action === "feature_flag_disable") return state.revision === restore.revision ? "restored" : "elsewhere";
  if (state.version !== restore.version) return "elsewhere";
  return restore.version !== expected.version || state.revision === restore.revision ? "restored" : "elsewhere";
}
