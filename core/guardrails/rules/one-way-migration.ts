import type { Change } from "../../model/change.ts";
import { own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { name } from "../../model/untrusted-text.ts";
import { servicesOf } from "../names.ts";
import { allOf, clockText, type Rule, type RuleInput } from "../rule.ts";
import { touches } from "./stale.ts";

/**
 * A schema that moved on while the new version came may not fit the old one any more, and no rollback of code takes it
 * back: somebody who knows the schema has to say that the old version still runs on it.
 */
export const oneWayMigration: Rule = {
  name: "one-way-migration",
  check(input) {
    const { plan, assessment, now } = input;
    if (assessment === null) return undefined;
    const migrations = assessment.changes.filter(({ kind }) => kind === "migration");
    return allOf(
      "require_approval",
      plan.targets
        .filter(({ action }) => action !== "feature_flag_disable" && action !== "database_migration_rollback")
        .flatMap((target) =>
          migrations
            .filter((change) => isOf(change, target, input) && isBetween(change, target, assessment.changes))
            .map(
              ({ id, service, startedAt }) =>
                own`migration ${name(id)} of ${name(service)} ran at ${clockText(startedAt, now)}, after ${name(target.restore.version)} of ${name(target.service)} came: whether that version still fits the schema, a person has to say`,
            ),
        ),
    );
  },
};

/** By the service that it names, or by another service of the file that the target's object belongs to. */
function isOf({ service }: Change, target: Target, { policy }: RuleInput): boolean {
  return service === target.service || servicesOf(target, policy.services).includes(service);
}

/** Unless the version to restore was itself deployed after it, as far back as changes are known. */
function isBetween(migration: Change, target: Target, changes: readonly Change[]): boolean {
  return !changes.some(
    (change) =>
      change.kind !== "migration" &&
      touches(change, target) &&
      change.to === target.restore.version &&
      change.startedAt > (migration.finishedAt ?? Number.POSITIVE_INFINITY),
  );
}
