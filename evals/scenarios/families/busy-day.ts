import type { Family } from "../family.ts";

/** A healthy day with many deploys, flags and pushes, none of which hurts. */
export const busyDay: Family = {
  name: "busy-day",
  faulty: false,
  wishes: { changesPerDay: [2, 4], crowd: [4, 9] },
  plot: (stage) => {
    const canary = stage.draw.chance(0.4)
      ? [stage.change("deploy", stage.draw.pick(stage.busy()), stage.moment, { canary: 0.1 })]
      : [];
    return { why: "nothing is wrong", changes: canary, faults: [] };
  },
};
