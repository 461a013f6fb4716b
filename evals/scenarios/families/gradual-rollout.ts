import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A bad version rolls out over many minutes; early on only its own share of the traffic shows it. */
export const gradualRollout: Family = {
  name: "gradual-rollout",
  faulty: true,
  wishes: { crowd: [1, 4], watchMinutes: [45, 60] },
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy(8)), stage.moment, {
      rolloutMs: draw.uniform(8, 22) * MINUTE,
    });
    const fault = draw.chance(0.6) ? failing(draw, change) : slow(draw, change);
    return { why: "the new version is worse than the old one beside it", changes: [change], faults: [fault] };
  },
};
