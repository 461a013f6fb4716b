import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/** A new service appears in the monitoring, with its first deploy, and another is gone from it: neither is degraded. */
export const comesAndGoes: Family = {
  name: "comes-and-goes",
  faulty: false,
  wishes: { services: [6, 25], crowd: [1, 5] },
  plot: (stage) => {
    const { draw } = stage;
    const [comes, goes] = draw.shuffle(stage.busy(0.2));
    if (comes === undefined || goes === undefined) throw new RangeError("too few services");
    const gone = stage.moment + draw.uniform(-2, 10) * MINUTE;
    return {
      why: "one service is new and one is gone; nothing is wrong",
      changes: [stage.change("deploy", comes, stage.moment)],
      quiet: [goes.name],
      lateStart: [{ service: comes.name, at: stage.moment + draw.uniform(10, 60) * 1000 }],
      gaps: [{ service: goes.name, metric: null, from: gone, to: Number.POSITIVE_INFINITY }],
      faults: [],
    };
  },
};
