import type { Family } from "../../family.ts";
import { sharedDatabase } from "../../stories.ts";
import { HOUR, MINUTE, SECOND } from "../../world/model.ts";

/**
 * An online schema change copies a table for a quarter to three quarters of an hour and hurts nobody. Its last step renames the
 * copy into place; a part of the read replicas deadlocks, crashes and recovers only to crash again, and the others carry their load.
 * Later deploys lie nearer to the trouble. The rename cannot be taken back by a machine. GitHub, "Availability Report: November
 * 2021" (27 November, 2 h 50 min). A third to two thirds of the replicas here.
 */
export const renameDeadlock: Family = {
  name: "rename-deadlock",
  faulty: true,
  wishes: { store: true, crowd: [1, 4], historyMinutes: [90, 180], utilisation: [0.15, 0.35] },
  plot: (stage) => {
    const { draw } = stage;
    const store = sharedDatabase(stage);
    const begun = stage.change("migration", store, stage.moment - draw.uniform(15, 45) * MINUTE, { reversible: false });
    const migration = { ...begun, finishedAt: Math.round(stage.moment / SECOND) * SECOND };
    const down = draw.uniform(0.33, 0.66);
    const caller = draw.pick(stage.callersOf(store.name));
    return {
      why: "the last step of the schema change deadlocked the replicas; it cannot be undone, people must fix it",
      changes: [migration, stage.change("deploy", caller, stage.moment - draw.uniform(5, 14) * MINUTE)],
      quiet: stage.callersOf(store.name).map(({ name }) => name),
      quietFor: 2 * HOUR,
      faults: [
        {
          because: migration.id,
          service: store.name,
          from: migration.finishedAt - draw.uniform(0, 10) * SECOND,
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(0.2, 1.5) * MINUTE,
          unready: down,
          capacityFactor: 1 - down,
          latencyFactor: draw.uniform(1.3, 3),
          errors: draw.uniform(0.08, 0.45),
          signature: "replica restarted: semaphore wait has lasted > 600 seconds, crash recovery in progress id={id}",
          main: true,
        },
      ],
    };
  },
};
