import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A deploy is sound for minutes to an hour; then what it changed comes due: a cache expires, a job runs, a token ends. */
export const delayedEffect: Family = {
  name: "delayed-effect",
  faulty: true,
  wishes: { historyMinutes: [120, 200], crowd: [0, 1], changesPerDay: [0.2, 0.6], evidence: { logs: true } },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const change = stage.change("deploy", service, stage.moment - draw.logUniform(6, 60) * MINUTE);
    const due = { from: stage.moment, rampMs: draw.uniform(0, 2) * MINUTE };
    const fault = draw.chance(0.6)
      ? failing(draw, change, {
          ...due,
          signature: "cached credentials expired and refresh is not implemented id={id}",
        })
      : slow(draw, change, { ...due, cacheMiss: 0.9 });
    return {
      why: "the version was sound until what it changed came due; the one before it did not have this",
      changes: [change],
      faults: [fault],
    };
  },
};
