import type { Family } from "../family.ts";
import { MINUTE } from "../world/model.ts";

/** The monitoring loses a service or all of them for some minutes, just after a deploy; some series begin late. Nothing is wrong. */
export const scrapeGap: Family = {
  name: "scrape-gap",
  faulty: false,
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const late = draw.pick(stage.busy(0.5).filter(({ name }) => name !== service.name));
    const at = stage.moment + draw.uniform(0, 3) * MINUTE;
    return {
      why: "samples are missing, which is no sign of anything",
      changes: [stage.change("deploy", service, stage.moment)],
      faults: [],
      gaps: [
        {
          service: draw.chance(0.6) ? service.name : null,
          metric: null,
          from: at,
          to: at + draw.uniform(2, 9) * MINUTE,
        },
        {
          service: late.name,
          metric: draw.pick(["error_rate", "p99_latency"]),
          from: at + 10 * MINUTE,
          to: at + draw.uniform(12, 20) * MINUTE,
        },
      ],
      lateStart: [
        {
          service: late.name,
          at: clock.historyStart + draw.uniform(0.3, 0.95) * (clock.watchStart - clock.historyStart),
        },
      ],
    };
  },
};
