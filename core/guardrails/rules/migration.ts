import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type Rule } from "../rule.ts";

/** Rolling back a schema can destroy data that no later rollback restores: it always needs approval (S3). */
export const migration: Rule = {
  name: "migration",
  check({ plan, assessment }) {
    const migrations = new Set(assessment?.changes.filter(({ kind }) => kind === "migration").map(({ id }) => id));
    return allOf(
      "require_approval",
      plan.targets
        .filter(({ action, changeId }) => action === "database_migration_rollback" || migrations.has(changeId))
        .map(
          ({ service, changeId }) =>
            own`change ${name(changeId)} of ${name(service)} is a database migration: always a person`,
        ),
    );
  },
};
