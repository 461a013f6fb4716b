import { describe, expect, it } from "vitest";
import { targetsFor } from "../../../core/planning/plan-targets.ts";
import { testConfig } from "../assessment/config.ts";
import { change, emptyCase } from "../correlation/fixtures.ts";

describe("a plan for a migration, which only a person asks for", () => {
  const schema = { kind: "Migration", namespace: "production", name: "orders-db" };
  const moved = change({ id: "m", kind: "migration", service: "orders", from: "a1", to: "b2" });

  it("takes the schema back to where it was", () => {
    const changes = [{ ...moved, workload: schema }];
    expect(targetsFor(emptyCase({ changes }), testConfig(), ["m"]).targets).toEqual([
      {
        action: "database_migration_rollback",
        service: "orders",
        changeId: "m",
        object: schema,
        expected: { version: "b2", revision: "" },
        restore: { version: "a1", revision: "" },
      },
    ]);
  });

  it("is none where nobody says which schema moved", () => {
    const { workload: _, ...nameless } = moved;
    const { targets, obstacles } = targetsFor(emptyCase({ changes: [nameless] }), testConfig(), ["m"]);
    expect([targets, obstacles]).toEqual([[], ["migration of orders a1 → b2 does not say which schema it moved"]]);
  });
});
