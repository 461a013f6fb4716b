import type { Family } from "../../family.ts";
import { HOUR, MINUTE } from "../../world/model.ts";
import { season } from "../../world/wander.ts";

/**
 * A version that was deployed in the quiet morning has a smaller connection pool. Nothing shows until the daily peak asks for more
 * connections than there are: requests wait for one, then fail, while processor and database are idle. Reports: GitHub, "An update on
 * recent service disruptions" (March 2022: connections ran out at peak load only, on several days); pools of 10 are HikariCP's
 * default. The pool serves 80 to 95 % of the peak, so that outside of it less than two thirds are in use.
 */
export const poolTooSmall: Family = {
  name: "pool-too-small",
  faulty: true,
  wishes: {
    daily: { atHour: 12, minutes: 60, factor: 2 },
    utilisation: [0.15, 0.3],
    watchFrom: [11.4, 11.8],
    watchMinutes: [50, 65],
    historyMinutes: [150, 240],
    evidence: { coarseDays: 7 },
    crowd: [1, 4],
  },
  plot: (stage) => {
    const { draw, clock, system } = stage;
    if (system.traffic.burstsPerHour > 0) throw new RangeError("a burst would show the pool before the peak does");
    const noon = new Date(clock.watchStart).setUTCHours(12, 30, 0, 0);
    const [quiet, peak] = [clock.watchStart, noon].map((at) => season(system.traffic, at));
    if (quiet === undefined || peak === undefined) throw new RangeError("there is no peak");
    const service = draw.pick(stage.busy().filter(({ utilisation }) => utilisation * peak < 0.8));
    const ceiling = service.expectedRate * peak * draw.uniform(0.8, 0.95);
    if ((service.expectedRate * quiet) / ceiling > 0.64) throw new RangeError("the pool is too small at any hour");
    const change = stage.change("deploy", service, clock.watchStart - draw.uniform(20, 120) * MINUTE);
    return {
      why: "the new version's pool is too small for the daily peak, which the one before it served every day",
      changes: [change],
      quietFor: 4 * HOUR,
      faults: [
        {
          because: change.id,
          service: service.name,
          from: change.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: true,
          ceiling,
          latent: true,
          signature: "pool timeout: no connection became free within {ms}ms (total=10, idle=0, waiting={n})",
          main: true,
        },
      ],
    };
  },
};
