import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { HOUR, MINUTE } from "../world/model.ts";

/** The trouble is there from before the recorded history on; every change that can be seen came later. */
export const olderThanChanges: Family = {
  name: "older-than-changes",
  faulty: false,
  wishes: { evidence: { coarseDays: 0 }, crowd: [2, 5] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const always = [clock.historyStart - HOUR, Number.POSITIVE_INFINITY] as const;
    const fault = draw.chance(0.6)
      ? outside(service, ...always, {
          errors: draw.uniform(0.03, 0.2),
          signature: "deadlock detected, transaction {id} rolled back",
        })
      : outside(service, ...always, { latencyFactor: draw.uniform(2, 5) });
    return {
      why: "it was so before every change on record",
      changes: [stage.change("deploy", service, stage.moment - draw.uniform(0, 10) * MINUTE)],
      faults: [fault],
    };
  },
};
