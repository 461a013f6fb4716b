import type { Family } from "../family.ts";
import { callerAndCallee, failing } from "../stories.ts";
import { SECOND } from "../world/model.ts";

/** A deploy of a callee and a configuration push to its caller break both within seconds; undoing one leaves the other's harm. */
export const twoGuilty: Family = {
  name: "two-guilty",
  faulty: true,
  together: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const worse = draw.uniform(0.25, 0.6);
    const first = stage.change("deploy", callee, stage.moment);
    // Together, so that whoever decides a minute later can see both.
    const begun = first.shares[0]?.at ?? first.startedAt;
    const second = stage.change("config", caller, begun + draw.uniform(1, 8) * SECOND);
    return {
      why: "both changes fail requests of their own; only both together end the degradation",
      changes: [first, second],
      faults: [
        failing(draw, first, { errors: worse }),
        failing(draw, second, { errors: worse * draw.uniform(0.3, 0.55) }),
      ],
    };
  },
};
