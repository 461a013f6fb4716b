import type { Family } from "../../family.ts";
import { callerAndCallee, failing, slow } from "../../stories.ts";
import { SECOND } from "../../world/model.ts";

/** A caller and its callee are each broken by a deploy of their own, seconds apart, by other people: two incidents. */
export const joinedOwnDeploys: Family = {
  name: "joined-own-deploys",
  faulty: true,
  together: "all",
  apart: true,
  plot: (stage) => {
    const { draw } = stage;
    const pair = callerAndCallee(stage);
    const [first, second] = draw.shuffle([pair.caller, pair.callee]);
    if (first === undefined || second === undefined) throw new RangeError("there is no pair");
    const one = stage.change("deploy", first, stage.moment);
    const other = stage.change("deploy", second, stage.moment + draw.uniform(3, 50) * SECOND);
    // A slow callee makes its caller slow: only failures of the caller's own cannot be its callee's.
    const breaks = (change: typeof one) =>
      change.service === pair.callee.name && draw.chance(0.4)
        ? slow(draw, change, { latencyFactor: draw.logUniform(2.5, 8) })
        : failing(draw, change, { errors: draw.uniform(0.15, 0.55) });
    return {
      why: "each version fails by its own; undoing one leaves what the other does",
      changes: [one, other],
      faults: [breaks(one), breaks(other)],
    };
  },
};
