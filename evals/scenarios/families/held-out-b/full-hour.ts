import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { HOUR, MINUTE, SECOND } from "../../world/model.ts";

/**
 * Customers' scheduled jobs all call at the full hour. For some minutes there is several times the traffic, more than can be served; then all
 * is well until the next hour. It was so at each full hour of the history; this time a deploy stands shortly before it. GitHub
 * documentation, "Events that trigger workflows" (`schedule`: the start of every hour is a time of high load); Beyer et al., "Site
 * Reliability Engineering", ch. 24 (crontab lines are written for round times). Two to four times the load, gone in minutes.
 */
export const fullHour: Family = {
  name: "full-hour",
  faulty: false,
  wishes: { historyMinutes: [140, 200], watchMinutes: [55, 75], utilisation: [0.3, 0.55], crowd: [0, 2] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const entry = draw.pick(stage.busy().filter(({ tier }) => tier === "entry"));
    const hour = Math.ceil(stage.moment / HOUR) * HOUR;
    if (hour > clock.watchEnd - 14 * MINUTE) throw new RangeError("no full hour lies within the watch");
    const [loadFactor, fadeMs] = [draw.uniform(2, 4), draw.uniform(1, 2.5) * MINUTE];
    const faults = [];
    for (let at = hour - 4 * HOUR; at < clock.watchEnd; at += HOUR) {
      const from = at + draw.uniform(-2, 8) * SECOND;
      faults.push(
        outside(entry, from, from + 10 * MINUTE, {
          fadeMs,
          loadFactor: 1 + (loadFactor - 1) * draw.uniform(0.85, 1.15),
        }),
      );
    }
    const behind = draw.pick(stage.calleesOf(entry.name).filter(({ tier }) => tier !== "external" && tier !== "store"));
    const deployed = draw.pick([entry, behind]);
    return {
      why: "the jobs of the customers call at every full hour, as they did in all the hours before",
      changes: [stage.change("deploy", deployed, hour - draw.uniform(1.5, 7) * MINUTE)],
      quiet: [entry.name],
      quietFor: HOUR,
      faults,
    };
  },
};
