import type { Change } from "../model/change.ts";
import { nameOfChange, undoneName } from "../model/change-name.ts";

/** What must go back with one change, in the order in which it is safe: whoever depends on the new contract first. */
export interface Coordination {
  readonly order: readonly string[];
  readonly because: readonly string[];
}

/**
 * Follows `requires` from the culprits (the likeliest first) to everything that would not serve without them, dependants
 * before what they need. A dependant that another change has since replaced no longer holds it back, unless the newer one
 * requires it too; then that one is in the set. Own rollbacks are not undone.
 */
export function coordinate(culprits: readonly Change[], changes: readonly Change[], at: number): Coordination {
  const order: string[] = [];
  const because: string[] = [];
  const seen = new Set<string>();
  const visit = (change: Change): void => {
    if (seen.has(change.id)) return;
    seen.add(change.id);
    for (const dependant of dependantsOf(change, changes, at)) {
      visit(dependant);
      because.push(
        `${nameOfChange(dependant)} requires ${change.service} ${dependant.requires?.[change.service]}, which a rollback of ${undoneName(change.id, changes)} removes: it is rolled back first`,
      );
    }
    order.push(change.id);
  };
  for (const culprit of culprits) visit(culprit);
  return { order, because: [...new Set(because)] };
}

function dependantsOf(change: Change, changes: readonly Change[], at: number): readonly Change[] {
  if (change.kind === "flag") return [];
  return changes
    .filter(
      (other) =>
        other.id !== change.id &&
        other.ownRollback !== true &&
        other.startedAt <= at &&
        other.startedAt >= change.startedAt &&
        needs(other.requires?.[change.service], change) &&
        isLatest(other, changes, at),
    )
    .sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1));
}

/** Whether a required version is lost when this change goes back: it is newer than what would be restored. */
function needs(required: string | undefined, change: Change): boolean {
  if (required === undefined) return false;
  return required === change.to || compareVersions(required, change.from) > 0;
}

function isLatest(change: Change, changes: readonly Change[], at: number): boolean {
  return !changes.some(
    (other) =>
      other.service === change.service &&
      other.kind === change.kind &&
      other.startedAt > change.startedAt &&
      other.startedAt <= at,
  );
}

/** Order of dotted versions by their numbers ("v1.10.0" after "v1.9.2"); texts that differ without numbers compare as text. */
export function compareVersions(a: string, b: string): number {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? -1) - (right[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return a === b ? 0 : a < b ? -1 : 1;
}
