import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { DAY, MINUTE } from "../../world/model.ts";

/**
 * A batch job reads the whole store at the same hour of every day. Queries are slow for everybody while it runs, as on each of the days
 * before; a caller of the store was deployed shortly before it began. Beyer et al., "Site Reliability Engineering", ch. 24 (jobs at
 * round hours); the job takes 20 to 40 minutes, more or less on each day, and begins some seconds late.
 */
export const dailyBatch: Family = {
  name: "daily-batch",
  faulty: false,
  wishes: { store: true, watchFrom: [8.5, 17], evidence: { coarseDays: 7 }, crowd: [0, 3] },
  plot: (stage) => {
    const { draw, system } = stage;
    const store = draw.pick(
      system.services.filter(
        ({ tier, name, expectedRate }) => tier === "store" && expectedRate > 5 && stage.callersOf(name).length > 1,
      ),
    );
    // At a full quarter of an hour near the moment, on this day and on those before.
    const quarter = 15 * MINUTE;
    const today = Math.ceil(stage.moment / quarter) * quarter;
    const [latencyFactor, capacityFactor] = [draw.uniform(1.8, 4), draw.uniform(0.45, 0.75)];
    const minutes = draw.uniform(20, 40);
    const runs = Array.from({ length: 8 }, (_, days) => {
      const from = today - days * DAY + draw.uniform(0, 50) * 1000;
      return outside(store, from, from + minutes * draw.uniform(0.85, 1.15) * MINUTE, {
        latencyFactor: latencyFactor * draw.uniform(0.9, 1.1),
        capacityFactor,
        rampMs: MINUTE,
      });
    });
    const caller = draw.pick(stage.callersOf(store.name));
    return {
      why: "a job that runs at this hour every day slows the store, as it did on all the days before",
      changes: [stage.change("deploy", caller, today - draw.uniform(2, 12) * MINUTE)],
      quiet: stage.callersOf(store.name).map(({ name }) => name),
      faults: runs,
    };
  },
};
