import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";

/** A schema migration locks a table or drops what a service still reads: people must mend it, a rollback of code does not. */
export const badMigration: Family = {
  name: "bad-migration",
  faulty: true,
  wishes: { crowd: [0, 3] },
  plot: (stage) => {
    const { draw } = stage;
    const migration = stage.change("migration", draw.pick(stage.busy()), stage.moment, {
      reversible: draw.chance(0.3),
    });
    const fault = draw.chance(0.5)
      ? failing(draw, migration, { signature: 'SQLSTATE 42703: column "legacy_state" does not exist statement={id}' })
      : slow(draw, migration, { signature: "lock wait timeout after {ms}ms on relation id={id}" });
    return {
      why: "the schema changed under the running version; undoing a migration needs people",
      changes: [migration],
      faults: [fault],
    };
  },
};
