import type { Family } from "../../family.ts";
import { failing, slowSignature } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A flag is raised step by step by the flag service itself: 1 %, 10 %, 50 %, all. At 1 % nobody can see it; each step is clearer. Progressive
 * rollouts of one change: LaunchDarkly documentation, "Progressive rollouts"; steps of minutes: Tang et al., "Holistic Configuration
 * Management at Facebook" (SOSP 2015), where the canary of a configuration takes about ten minutes.
 */
export const flagRamp: Family = {
  name: "flag-ramp",
  faulty: true,
  wishes: { watchMinutes: [50, 70], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy(10));
    const flag = stage.change("flag", service, stage.moment);
    const shares = draw.chance(0.7) ? [0.01, 0.1, 0.5, 1] : [0.05, 0.25, 0.5, 1];
    const every = draw.uniform(4, 9) * MINUTE;
    const steps = shares.map((share, index) => ({ at: flag.startedAt + index * every, share }));
    const fault = draw.chance(0.65)
      ? failing(draw, flag, { errors: draw.logUniform(0.05, 0.6), steps })
      : {
          because: flag.id,
          service: service.name,
          from: flag.startedAt,
          to: Number.POSITIVE_INFINITY,
          steps,
          // Some of the requests take the path, and those are slow; the others are as ever.
          stall: { share: draw.uniform(0.1, 0.4), ms: Math.round(service.ownMedianMs * draw.logUniform(4, 40)) },
          signature: slowSignature(draw),
          main: true,
        };
    const before = draw.chance(0.5)
      ? [stage.change("deploy", service, stage.moment - draw.uniform(15, 40) * MINUTE)]
      : [];
    return {
      why: "the path behind the flag is broken, and more and more requests take it; with the flag off none does",
      changes: [flag, ...before],
      faults: [fault],
    };
  },
};
