import type { Change } from "../../model/change.ts";
import { own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { clockText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type Rule } from "../rule.ts";
import { touchedByPlan } from "../touched.ts";
import { touches } from "./stale.ts";

/**
 * A schema that was migrated after the old version was deployed may no longer fit that version, and a rollback of
 * code does not roll back the schema: a person who knows it has to confirm that the old version still runs on it.
 */
export const oneWayMigration: Rule = {
  name: "one-way-migration",
  check(input) {
    const { assessment, now } = input;
    if (assessment === null) return undefined;
    const migrations = assessment.changes.filter(({ kind }) => kind === "migration");
    return allOf(
      "require_approval",
      touchedByPlan(input)
        .filter(
          ({ target: { action } }) => action !== "feature_flag_disable" && action !== "database_migration_rollback",
        )
        .flatMap(({ target, services }) =>
          migrations
            .filter((change) => services.includes(change.service) && isBetween(change, target, assessment.changes))
            .map(
              ({ id, service, startedAt }) =>
                own`migration ${name(id)} of ${name(service)} ran at ${clockText(startedAt, now)}, after ${name(target.restore.version)} of ${name(target.service)} came: whether that version still fits the schema, a person has to say`,
            ),
        ),
    );
  },
};

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
