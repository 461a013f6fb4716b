import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";

/** A canary with a small share of the traffic is worse than the version beside it. */
export const canaryBad: Family = {
  name: "canary-bad",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy(20)), stage.moment, {
      canary: draw.pick([0.05, 0.1, 0.2, 0.25]),
    });
    const fault = draw.chance(0.65)
      ? failing(draw, change, { errors: draw.logUniform(0.05, 0.6) })
      : slow(draw, change);
    return { why: "the canary is worse than the version beside it", changes: [change], faults: [fault] };
  },
};
