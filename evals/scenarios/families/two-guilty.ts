import type { Family } from "../family.ts";
import { callerAndCallee, failing } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Two changes of a caller and its callee break both within a minute; undoing one leaves the other's harm. */
export const twoGuilty: Family = {
  name: "two-guilty",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const worse = draw.uniform(0.25, 0.6);
    const first = stage.change("deploy", callee, stage.moment, { rolloutMs: draw.uniform(0.7, 2) * MINUTE });
    const begun = first.shares[0]?.at ?? first.startedAt;
    const second = stage.change(draw.pick(["deploy", "config"]), caller, begun + draw.uniform(0.1, 0.8) * MINUTE);
    return {
      why: "both changes fail requests of their own; only both together undo the harm",
      changes: [first, second],
      faults: [
        failing(draw, first, { errors: worse }),
        failing(draw, second, { errors: worse * draw.uniform(0.3, 0.55) }),
      ],
    };
  },
};
