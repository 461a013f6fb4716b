import type { Family } from "../family.ts";
import { slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A new version needs more work for each request, until the pods are saturated and shed load. */
export const badDeployCpu: Family = {
  name: "bad-deploy-cpu",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const change = stage.change("deploy", service, stage.moment, { rolloutMs: draw.uniform(1, 5) * MINUTE });
    // The work that brings the service from its planned use of capacity to 85 % and beyond.
    const cpuFactor = draw.uniform(0.85, 1.3) / service.utilisation;
    return {
      why: "each request costs several times the work, and the pods saturate",
      changes: [change],
      faults: [slow(draw, change, { latencyFactor: draw.uniform(1.1, 1.6), cpuFactor })],
    };
  },
};
