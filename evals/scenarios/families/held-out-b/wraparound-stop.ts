import type { Family } from "../../family.ts";
import { linesOf, outside, sharedDatabase } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A database comes near the end of its transaction numbers. It has warned for hours, a forced vacuum takes disk and processor for a quarter of
 * an hour; then it refuses all that writes, until people have cleaned up. One of its callers was deployed minutes before. Sentry,
 * "Transaction ID Wraparound in Postgres" (2015: down for most of a working day); PostgreSQL documentation, "Preventing Transaction ID
 * Wraparound Failures" (warnings first, then only reads). A fifth to two thirds of the statements write.
 */
export const wraparoundStop: Family = {
  name: "wraparound-stop",
  faulty: false,
  wishes: { store: true, utilisation: [0.2, 0.38], crowd: [1, 4], evidence: { logs: true } },
  plot: (stage) => {
    const { draw, clock } = stage;
    const store = sharedDatabase(stage);
    const caller = draw.pick(stage.callersOf(store.name));
    const end = draw.chance(0.7) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(18, 30) * MINUTE;
    const vacuum = stage.moment - draw.uniform(8, 20) * MINUTE;
    return {
      why: "the database takes no writes until its old transactions are cleaned up; no change did it or can end it",
      changes: [stage.change("deploy", caller, stage.moment - draw.uniform(1.5, 8) * MINUTE)],
      quiet: [store.name, ...stage.callersOf(store.name).map(({ name }) => name)],
      lines: linesOf(draw, store.name, { from: clock.historyStart, to: stage.moment }, 1 / draw.uniform(4, 9), {
        level: "warn",
        messages: [
          "database must be vacuumed within {id} transactions",
          "autovacuum: to prevent wraparound, {n}% scanned",
        ],
      }),
      faults: [
        outside(store, vacuum, end, {
          rampMs: 3 * MINUTE,
          latencyFactor: draw.uniform(1.2, 1.9),
          capacityFactor: draw.uniform(0.65, 0.9),
        }),
        outside(store, stage.moment, end, {
          errors: draw.uniform(0.2, 0.65),
          signature: "ERROR: database is not accepting commands to avoid wraparound data loss, statement {id}",
        }),
      ],
    };
  },
};
