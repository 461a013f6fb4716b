import type { Family } from "../family.ts";
import { outside, signature } from "../stories.ts";
import { HOUR } from "../world/model.ts";

/** A trouble older than every change on record ends with a deploy: the one change that must not be taken back. */
export const deployFixes: Family = {
  name: "deploy-fixes",
  faulty: false,
  wishes: { evidence: { coarseDays: 0 } },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const fix = stage.change("deploy", service, stage.moment, { message: "Handle the empty response" });
    const fault = outside(service, clock.historyStart - HOUR, Number.POSITIVE_INFINITY, {
      fixedBy: fix.id,
      ...(draw.chance(0.6)
        ? { errors: draw.uniform(0.04, 0.3), signature: signature(draw) }
        : { latencyFactor: draw.uniform(2, 5) }),
    });
    return { why: "the deploy ended a degradation that was there before it", changes: [fix], faults: [fault] };
  },
};
