import type { Family } from "../family.ts";
import { callerAndCallee, decoy, failing, slow } from "../stories.ts";

/** The callee of a bad service was deployed shortly before, and is healthy. */
export const decoyCallee: Family = {
  name: "decoy-callee",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const bad = stage.change("deploy", caller, stage.moment);
    const innocent = decoy(stage, callee, [-1, 4]);
    const fault = draw.chance(0.7) ? failing(draw, bad) : slow(draw, bad);
    return {
      why: "the caller fails by itself; its callee, deployed just before, is as healthy as ever",
      changes: [bad, innocent],
      faults: [fault],
    };
  },
};
