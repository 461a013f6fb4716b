import type { Family } from "../family.ts";
import { MINUTE } from "../world/model.ts";

/** The peak that comes every day at this hour comes again, with the latency that it always brings; deploys stand beside it. */
export const seasonalPeak: Family = {
  name: "seasonal-peak",
  faulty: false,
  wishes: {
    daily: { atHour: 12, minutes: 50, factor: 1.9 },
    watchFrom: [11.3, 11.95],
    evidence: { coarseDays: 14 },
    crowd: [1, 4],
  },
  plot: (stage) => {
    const { draw } = stage;
    return {
      why: "it is as busy and as slow at this hour every day",
      changes: [stage.change("deploy", draw.pick(stage.busy()), stage.moment + draw.uniform(-3, 10) * MINUTE)],
      faults: [],
    };
  },
};
