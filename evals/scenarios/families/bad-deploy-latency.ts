import type { Family } from "../family.ts";
import { slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A new version is slower, at once or more and more over some minutes. */
export const badDeployLatency: Family = {
  name: "bad-deploy-latency",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy()), stage.moment);
    const rampMs = draw.chance(0.5) ? 0 : draw.uniform(2, 10) * MINUTE;
    return {
      why: "the new version takes longer for every request",
      changes: [change],
      faults: [slow(draw, change, { rampMs })],
    };
  },
};
