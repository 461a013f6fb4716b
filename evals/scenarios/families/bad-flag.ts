import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A feature flag goes on and its path fails or is slow; a deploy of the same service stands a while before it. */
export const badFlag: Family = {
  name: "bad-flag",
  faulty: true,
  wishes: { crowd: [1, 5] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const flag = stage.change("flag", service, stage.moment);
    const before = draw.chance(0.5)
      ? [stage.change("deploy", service, stage.moment - draw.uniform(12, 30) * MINUTE)]
      : [];
    const rampMs = draw.chance(0.4) ? draw.uniform(1, 6) * MINUTE : 0;
    const fault = draw.chance(0.6) ? failing(draw, flag, { rampMs }) : slow(draw, flag, { rampMs });
    return {
      why: "the path behind the flag is broken; the deployed version is sound with the flag off",
      changes: [flag, ...before],
      faults: [fault],
    };
  },
};
