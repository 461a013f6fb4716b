import type { Family } from "../../family.ts";
import { failing, slow } from "../../stories.ts";
import { HOUR, MINUTE, SECOND } from "../../world/model.ts";

/**
 * A flag broke a service a quarter of an hour ago, and a person has just switched it off when the watch begins. Its effect fades as the
 * clients hear of it. There is something to see and a guilty change in sight, and nothing left to do. LaunchDarkly documentation:
 * streaming clients hear of a change within a second, polling ones within 30 s (server) to five minutes (mobile).
 */
export const switchedOff: Family = {
  name: "switched-off",
  faulty: false,
  wishes: { crowd: [0, 3] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const on = stage.change("flag", service, clock.watchStart - draw.uniform(8, 22) * MINUTE);
    const off = stage.change("flag", service, clock.watchStart - draw.uniform(2, 45) * SECOND, { off: on.flag ?? "" });
    const heard = { at: off.startedAt, share: 1 };
    const trouble = draw.chance(0.6) ? failing(draw, on, { errors: draw.logUniform(0.04, 0.5) }) : slow(draw, on);
    const before = { ...trouble, to: heard.at };
    const after = {
      ...trouble,
      from: heard.at,
      to: heard.at + draw.uniform(2, 5) * MINUTE,
      fadeMs: draw.uniform(15, 60) * SECOND,
    };
    return {
      why: "a person has switched the flag off already; what is left fades by itself",
      changes: [on, off],
      quietFor: HOUR,
      faults: [before, after],
    };
  },
};
