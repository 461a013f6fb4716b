import type { Family } from "../../family.ts";
import { callerAndCallee, failing, outside, slow } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/** A caller fails by its own, no change of ours having caused it; minutes later one of its callees gets a bad deploy. */
export const failingCaller: Family = {
  name: "failing-caller",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const bad = stage.change("deploy", callee, stage.moment);
    const since = stage.moment - draw.uniform(2, 12) * MINUTE;
    const before = draw.chance(0.7)
      ? outside(caller, since, Number.POSITIVE_INFINITY, {
          errors: draw.uniform(0.05, 0.35),
          signature: "licence of the template engine has expired id={id}",
        })
      : outside(caller, since, Number.POSITIVE_INFINITY, {
          latencyFactor: draw.uniform(2, 5),
          signature: "disk write took {ms}ms id={id}",
        });
    const fault = draw.chance(0.7)
      ? failing(draw, bad, { errors: draw.logUniform(0.08, 0.6) })
      : slow(draw, bad, { latencyFactor: draw.logUniform(2.5, 8) });
    return {
      why: "the caller failed minutes before by its own, and still does; the callee's own failures came with its version",
      changes: [bad],
      quiet: [caller.name],
      faults: [before, fault],
    };
  },
};
